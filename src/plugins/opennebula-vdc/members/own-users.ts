/** Identity provider `opennebula`: members are users of OpenNebula itself, in the group of their data centre. */
import { Effect } from "effect"
import type { GroupShort, User } from "../../../opennebula/index.js"
import {
  type AccessChange,
  type AccessPlan,
  type AccessProblem,
  type AccessQuestion,
  type Member,
  type Members,
  NotYet,
  type Team
} from "../../../plugin/index.js"
import { type Cloud, groupsFor } from "../cloud.js"
import { certainGroupOf } from "../own-group.js"
import { userName } from "../tenant.js"
import {
  enterGroup,
  freeName,
  isAccountOf,
  keysText,
  keysToSet,
  leaveGroup,
  makeAccount,
  personOf,
  setAdmin,
  setKeys
} from "./people.js"
import { roleNameOf, roleOf } from "./roles.js"

/** One look at users and groups for all teams. */
export const ownUsers = (cloud: Cloud): Members => ({
  compare: (question) =>
    Effect.gen(function* () {
      const [groups, all] = yield* Effect.all(
        [
          groupsFor(
            cloud,
            question.teams.map(({ resource }) => resource)
          ),
          cloud.one.user.list()
        ],
        {
          concurrency: "unbounded"
        }
      )
      const tenants = new Set(groups.map(({ id, name }) => `${id} ${userName(name)}`))
      /** The tenant's own user is nobody's account, whatever it says. */
      const users = all.filter(({ gid, name }) => !tenants.has(`${gid} ${name}`))
      /** A person who is new in several teams gets one name. */
      const given = new Map<string, string>()
      return yield* Effect.forEach(question.teams, (team) =>
        certainGroupOf(groups, team.resource).pipe(
          Effect.filterOrFail(
            (group): group is GroupShort => group !== undefined,
            () => new NotYet({ reason: `OpenNebula has no group for backend id "${team.resource.backendId}".` })
          ),
          Effect.map((group) => compareTeam({ cloud, question, users, everybody: all, given, team, group })),
          Effect.either,
          Effect.map((plan) => ({ resource: team.resource, plan }))
        )
      )
    })
})

interface Look {
  readonly cloud: Cloud
  readonly question: AccessQuestion
  readonly users: ReadonlyArray<User>
  /** Tenants' own users as well: their names are taken. */
  readonly everybody: ReadonlyArray<User>
  readonly given: Map<string, string>
  readonly team: Team
  readonly group: GroupShort
}

const compareTeam = (look: Look): AccessPlan => {
  const { team } = look
  const members = team.members.map((member) => compareMember(look, member))
  return {
    changes: [...members.flatMap(({ changes }) => changes), ...leavers(look)],
    accounts: new Map(
      members.flatMap(({ account }, index): ReadonlyArray<readonly [string, string]> => {
        const id = team.members[index]?.id
        return account === undefined || id === undefined ? [] : [[id, account]]
      })
    ),
    problems: [...members.flatMap(({ problems }) => problems), ...untagged(look)]
  }
}

interface Compared {
  readonly changes: ReadonlyArray<AccessChange>
  readonly account: string | undefined
  readonly problems: ReadonlyArray<AccessProblem>
}

const accountOf = ({ users, question }: Look, member: Member): User | undefined => {
  const own = users.filter((user) => isAccountOf(user, member, question.accounts))
  return own.find(({ name }) => name === member.account) ?? own[0]
}

const compareMember = (look: Look, member: Member): Compared => {
  const { cloud, group, given } = look
  const { one, settings } = cloud
  const role = roleOf(settings, member.role)
  if (role === undefined) {
    const reason = `there is no role "${roleNameOf(settings, member.role)}" among vdc_roles: correct role_mapping or default_user_role.`
    return { changes: [], account: undefined, problems: [{ member: member.id, who: member.username, reason }] }
  }
  const user = accountOf(look, member)
  if (user === undefined) {
    const name = given.get(member.id) ?? freeName(look.everybody, member, group.id)
    given.set(member.id, name)
    const apply = Effect.gen(function* () {
      const id = yield* makeAccount(one, {
        name,
        person: member.id,
        group: group.id,
        driver: settings.member_auth_driver,
        keys: keysText(member.sshKeys)
      })
      if (role.group_admin) yield* setAdmin(one, group, id, true)
    })
    return {
      account: name,
      problems: [],
      changes: [{ kind: "join", who: name, what: `made, and put into group ${group.id} as ${role.name}`, apply }]
    }
  }
  const isIn = user.groups.includes(group.id)
  const isAdmin = group.admins.includes(user.id)
  const keys = keysToSet(user, member.sshKeys)
  const change = (kind: AccessChange["kind"], what: string, apply: AccessChange["apply"]): AccessChange => ({
    kind,
    who: user.name,
    what,
    apply
  })
  return {
    account: user.name,
    problems: [],
    changes: [
      ...(isIn && user.enabled
        ? []
        : [
            change(
              "join",
              isIn ? "enabled again" : `put into group ${group.id} as ${role.name}`,
              enterGroup(one, user.id, group.id)
            )
          ]),
      ...(isAdmin === role.group_admin
        ? []
        : [
            change(
              "role",
              role.group_admin
                ? `made administrator of group ${group.id}`
                : `no administrator of group ${group.id} any more`,
              setAdmin(one, group, user.id, role.group_admin)
            )
          ]),
      ...(keys === undefined ? [] : [change("keys", "SSH keys as in Waldur", setKeys(one, user.id, keys))])
    ]
  }
}

const leavers = ({ cloud, group, users, team, question }: Look): ReadonlyArray<AccessChange> => {
  const isPresent = (user: User) => team.members.some((member) => isAccountOf(user, member, question.accounts))
  return users
    .filter((user) => user.groups.includes(group.id) && personOf(user)._tag === "Some" && !isPresent(user))
    .map((user) => ({
      kind: "leave",
      who: user.name,
      what: `taken out of group ${group.id}`,
      apply: leaveGroup(cloud.one, group, user.id)
    }))
}

/** Accounts that Waldur knows by name and that have lost their tag: somebody has edited them, and they are not touched. */
const untagged = ({ group, users, team, question }: Look): ReadonlyArray<AccessProblem> => {
  const present = new Set(team.members.map(({ id }) => id))
  return users
    .filter((user) => user.groups.includes(group.id) && personOf(user)._tag === "None")
    .flatMap((user) => {
      const person = question.accounts.get(user.name)
      return person === undefined || present.has(person)
        ? []
        : [
            {
              member: person,
              who: user.name,
              reason: `has left, but the user ${user.id} is not the agent's: take it out of group ${group.id} by hand.`
            }
          ]
    })
}
