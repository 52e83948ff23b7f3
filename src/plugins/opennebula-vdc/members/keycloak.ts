/**
 * Identity provider `keycloak`: members are in Keycloak's groups `vdc_<slug>/<role>`, and get into OpenNebula's groups by SAML when they
 * log in. Whoever is in such a group and not in the team is taken out: the groups are the agent's.
 */
import { Effect, Option } from "effect"
import type { KeycloakService, KeycloakUser } from "../../../keycloak/index.js"
import type { GroupShort, Quotas, Vdc } from "../../../opennebula/index.js"
import {
  type AccessChange,
  type AccessPlan,
  type AccessProblem,
  type Member,
  type Members,
  NotYet,
  type SiteError,
  type Team
} from "../../../plugin/index.js"
import { asTheirVdcsSay } from "../../groups.js"
import type { Cloud } from "../cloud.js"
import { readMapping } from "../mapping-file.js"
import { certainGroupOf } from "../own-group.js"
import { type AccessGroups, ensureGroups, findGroups, isTagged, parentName, pathOf } from "./keycloak-groups.js"
import {
  copyLimits,
  ensureRoleGroup,
  findRoleGroup,
  hasOtherLimits,
  isUnfinished,
  type MainGroup,
  roleGroupName,
  settleRoleGroup,
  surroundingsOf,
  vdcOf
} from "./role-groups.js"
import { type Role, roleNameOf, rolesOf } from "./roles.js"

interface Inventory {
  readonly groups: ReadonlyArray<GroupShort>
  readonly vdcs: ReadonlyArray<Vdc>
  readonly quotas: ReadonlyMap<number, Quotas>
}

/** One look at OpenNebula for all teams; Keycloak is asked for each. */
export const keycloakMembers = (cloud: Cloud, keycloak: KeycloakService): Members => ({
  compare: ({ teams }) =>
    Effect.gen(function* () {
      const [groups, vdcs, rows] = yield* Effect.all(
        [cloud.one.group.list(), cloud.one.vdc.list(), cloud.one.group.listQuotas()],
        { concurrency: "unbounded" }
      )
      const found: Inventory = {
        groups: asTheirVdcsSay(groups, vdcs),
        vdcs,
        quotas: new Map(rows.map((row) => [row.groupId, row.quotas]))
      }
      return yield* Effect.forEach(teams, (team) =>
        compareTeam(cloud, keycloak, found, team).pipe(
          Effect.either,
          Effect.map((plan) => ({ resource: team.resource, plan }))
        )
      )
    })
})

const compareTeam = (
  cloud: Cloud,
  keycloak: KeycloakService,
  found: Inventory,
  team: Team
): Effect.Effect<AccessPlan, SiteError> =>
  Effect.gen(function* () {
    const group = yield* certainGroupOf(found.groups, team.resource)
    const vdc = group === undefined ? undefined : vdcOf(found.vdcs, group.id)
    if (group === undefined || vdc === undefined) {
      return yield* new NotYet({
        reason: `OpenNebula has no ${group === undefined ? "group" : "VDC"} for backend id "${team.resource.backendId}".`
      })
    }
    const main: MainGroup = { id: group.id, slug: group.name, resource: team.resource.id }
    const access = yield* findGroups(keycloak, main.slug, main.resource)
    const people = yield* comparePeople(cloud, keycloak, main, access, team.members)
    return {
      changes: [...(yield* groundwork(cloud, keycloak, found, vdc, main, access)), ...people.changes],
      accounts: people.accounts,
      problems: people.problems
    }
  })

/** What there has to be before anybody can be put anywhere. */
const groundwork = (
  cloud: Cloud,
  keycloak: KeycloakService,
  found: Inventory,
  vdc: Vdc,
  main: MainGroup,
  access: Option.Option<AccessGroups>
): Effect.Effect<ReadonlyArray<AccessChange>> =>
  Effect.gen(function* () {
    const roles = rolesOf(cloud.settings)
    const names = roles.map(({ name }) => name)
    const complete = Option.exists(
      access,
      ({ parent, children }) => isTagged(parent) && names.every((name) => children.has(name))
    )
    const inCloud = roles.flatMap((role) => roleWork(cloud, found, vdc, main, role))
    const mapping = yield* mappingWork(cloud, found, main, roles)
    return [
      ...(complete
        ? []
        : [
            {
              kind: "prepare" as const,
              who: parentName(main.slug),
              what: `complete in Keycloak, with ${names.join(", ")}`,
              apply: Effect.asVoid(ensureGroups(keycloak, main.slug, main.resource, names))
            }
          ]),
      ...inCloud,
      ...mapping
    ]
  })

const roleWork = (
  cloud: Cloud,
  { groups, quotas }: Inventory,
  vdc: Vdc,
  main: MainGroup,
  role: Role
): ReadonlyArray<AccessChange> => {
  const who = roleGroupName(main.slug, role)
  const group = findRoleGroup(groups, main, role)
  if (group === undefined || isUnfinished(group, main.resource, main.slug, role) || !vdc.groups.includes(group.id)) {
    const apply = Effect.gen(function* () {
      const id = yield* ensureRoleGroup(cloud, main, role)
      yield* settleRoleGroup(cloud, id, surroundingsOf(cloud, vdc))
      yield* copyLimits(cloud, main.id, [id])
    })
    return [{ kind: "prepare", who, what: `made in OpenNebula for ${pathOf(main.slug, role.name)}`, apply }]
  }
  return hasOtherLimits(quotas.get(main.id), quotas.get(group.id))
    ? [{ kind: "mend", who, what: `limited as group ${main.id}`, apply: copyLimits(cloud, main.id, [group.id]) }]
    : []
}

const nothing: Readonly<Record<string, unknown>> = {}

/** The entries of the mapping file. That it cannot be read shows when it is written. */
const mappingWork = (cloud: Cloud, { groups }: Inventory, main: MainGroup, roles: ReadonlyArray<Role>) =>
  Effect.gen(function* () {
    const file = cloud.settings.saml_mapping_file
    if (file === "") return []
    const now = yield* Effect.orElseSucceed(readMapping(file), () => nothing)
    const isRight = roles.every((role) => {
      const group = findRoleGroup(groups, main, role)
      return group !== undefined && now[pathOf(main.slug, role.name)] === group.id
    })
    const change: AccessChange = {
      kind: "mend",
      who: file,
      what: `has the groups of ${parentName(main.slug)}`,
      apply: writeMapping(cloud, main)
    }
    return isRight ? [] : [change]
  })

/** Groups as they are by now: some may just have been made. */
export const writeMapping = (cloud: Cloud, main: MainGroup) =>
  Effect.gen(function* () {
    const groups = yield* cloud.one.group.list()
    const entries = rolesOf(cloud.settings).flatMap((role): ReadonlyArray<readonly [string, number]> => {
      const group = findRoleGroup(groups, main, role)
      return group === undefined ? [] : [[pathOf(main.slug, role.name), group.id]]
    })
    yield* cloud.mapping?.add(Object.fromEntries(entries)) ?? Effect.void
  })

interface ComparedPeople {
  readonly changes: ReadonlyArray<AccessChange>
  readonly accounts: ReadonlyMap<string, string>
  readonly problems: ReadonlyArray<AccessProblem>
}

const comparePeople = (
  cloud: Cloud,
  keycloak: KeycloakService,
  main: MainGroup,
  access: Option.Option<AccessGroups>,
  members: ReadonlyArray<Member>
): Effect.Effect<ComparedPeople, SiteError> =>
  Effect.gen(function* () {
    const roles = rolesOf(cloud.settings).map(({ name }) => name)
    const children = Option.match(access, {
      onNone: () => [],
      onSome: (groups) => roles.flatMap((role) => groups.children.get(role) ?? [])
    })
    const inGroups = yield* Effect.forEach(
      children,
      (child) => Effect.map(keycloak.members(child.id), (users) => ({ role: child.name, id: child.id, users })),
      { concurrency: 3 }
    )
    const nearby = inGroups.flatMap(({ users }) => users)
    const known = yield* Effect.forEach(
      members,
      (member) => Effect.map(userOf(keycloak, nearby, member), (user) => ({ member, user })),
      { concurrency: 4 }
    )
    const wanted = new Map<string, string>()
    const accounts = new Map<string, string>()
    const changes: Array<AccessChange> = []
    const problems: Array<AccessProblem> = []
    for (const { member, user } of known) {
      const role = roleNameOf(cloud.settings, member.role)
      const problem = (reason: string) => problems.push({ member: member.id, who: member.username, reason })
      if (Option.isNone(user))
        problem("Keycloak does not know this user: they get access after their first login there.")
      else if (!roles.includes(role)) {
        problem(`there is no role "${role}" among vdc_roles: correct role_mapping or default_user_role.`)
      } else {
        wanted.set(user.value.id, role)
        if (member.account === "") accounts.set(member.id, user.value.username)
        const isIn = inGroups.some((group) => group.role === role && group.users.some(({ id }) => id === user.value.id))
        if (isIn) continue
        const other = inGroups.some(({ users }) => users.some(({ id }) => id === user.value.id))
        changes.push({
          kind: other ? "role" : "join",
          who: user.value.username,
          what: `put into ${pathOf(main.slug, role)}`,
          apply: Effect.flatMap(ensureGroups(keycloak, main.slug, main.resource, roles), ({ children: now }) => {
            const group = now.get(role)
            return group === undefined ? Effect.void : keycloak.join(user.value.id, group.id)
          })
        })
      }
    }
    for (const { role, id, users } of inGroups) {
      for (const user of users) {
        const rightful = wanted.get(user.id)
        if (rightful === role) continue
        changes.push({
          kind: rightful === undefined ? "leave" : "role",
          who: user.username,
          what: `taken out of ${pathOf(main.slug, role)}`,
          apply: keycloak.leave(user.id, id)
        })
      }
    }
    return { changes, accounts, problems }
  })

/** By the name that the offering gave, or by Waldur's own; either may be Keycloak's id of the user, as with the Python agent. */
const userOf = (
  keycloak: KeycloakService,
  nearby: ReadonlyArray<KeycloakUser>,
  member: Member
): Effect.Effect<Option.Option<KeycloakUser>, SiteError> => {
  const names = [member.account, member.username].filter((name) => name !== "")
  const here = names.flatMap(
    (name) => nearby.find(({ id, username }) => id === name || username === name.toLowerCase()) ?? []
  )[0]
  if (here !== undefined) return Effect.succeedSome(here)
  return Effect.reduce(names, Option.none<KeycloakUser>(), (found, name) =>
    Option.isSome(found) ? Effect.succeed(found) : keycloak.user(name)
  )
}
