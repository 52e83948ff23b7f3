/** Passwords of a data centre's accounts: the tenant's user `<name>_admin`, and members who are users of OpenNebula itself. */
import { Effect, Option } from "effect"
import { type GroupShort, storedPassword, type User } from "../../opennebula/index.js"
import { type Accounts, type KnownResource, OrderRefused, printable } from "../../plugin/index.js"
import { type Cloud, groupsFor, isTaggedFor } from "./cloud.js"
import { newPassword, personOf } from "./members/people.js"
import { groupOf } from "./own-group.js"
import { userName } from "./tenant.js"

interface Found {
  readonly group: GroupShort | undefined
  readonly tenant: User | undefined
  readonly users: ReadonlyArray<User>
}

/**
 * The data centre's own user, `<name>_admin`, also where it has taken its tag off. Users write into their own templates: one that is in another group is
 * another's, whatever it says.
 */
export const tenantUser = (
  group: GroupShort | undefined,
  users: ReadonlyArray<User>,
  { id }: Pick<KnownResource, "id">
): User | undefined => {
  if (group === undefined) return undefined
  const inGroup = users.filter(({ gid }) => gid === group.id)
  return inGroup.find(({ name }) => name === userName(group.name)) ?? inGroup.find((user) => isTaggedFor(id, user))
}

const find = (groups: ReadonlyArray<GroupShort>, users: ReadonlyArray<User>, resource: KnownResource) =>
  Effect.map(
    groupOf(groups, resource),
    (group): Found => ({ group, tenant: tenantUser(group, users, resource), users })
  )

const look = (cloud: Cloud, resources: ReadonlyArray<KnownResource>) =>
  Effect.all([groupsFor(cloud, resources), cloud.one.user.list()], { concurrency: "unbounded" })

const refused = (customerMessage: string) => new OrderRefused({ customerMessage })

const wanted = ({ group, tenant, users }: Found, member: string | undefined): Effect.Effect<User, OrderRefused> => {
  if (member === undefined) {
    return tenant === undefined
      ? refused("This resource has no user of its own: it was made without create_opennebula_user.")
      : Effect.succeed(tenant)
  }
  const found = users.find(
    (user) =>
      user.name === member && group !== undefined && user.groups.includes(group.id) && Option.isSome(personOf(user))
  )
  return found === undefined
    ? refused(`This resource has no member with the account "${printable(member)}" that the agent has made.`)
    : Effect.succeed(found)
}

export const accounts = (cloud: Cloud): Accounts => ({
  resetPassword: (resource, member) =>
    Effect.gen(function* () {
      const [groups, users] = yield* look(cloud, [resource])
      const user = yield* wanted(yield* find(groups, users, resource), member)
      const password = yield* newPassword
      yield* cloud.one.user.passwd(user.id, password)
      // What an earlier agent noted is wrong by now, and a secret all the same.
      if (user.hasStoredPassword) yield* forget(cloud, user)
      return { account: user.name, password }
    }),
  storedPasswords: (resources) =>
    Effect.gen(function* () {
      const [groups, users] = yield* look(cloud, resources)
      const found = yield* Effect.forEach(resources, (resource) =>
        Effect.map(Effect.option(find(groups, users, resource)), (one) => ({
          resource,
          user: Option.getOrUndefined(one)?.tenant
        }))
      )
      return found.flatMap(({ resource, user }) =>
        user?.hasStoredPassword === true
          ? [{ resource: resource.id, account: user.name, remove: forget(cloud, user) }]
          : []
      )
    })
})

/** Of one resource: the password that an earlier agent left in its user's template. */
export const forgetStored = (cloud: Cloud, resource: KnownResource) =>
  Effect.flatMap(accounts(cloud).storedPasswords([resource]), (stored) =>
    Effect.forEach(stored, ({ remove }) => remove, { discard: true })
  )

/** Emptied rather than taken away: replacing a user's template would take OpenNebula's own secrets along. */
const forget = ({ one }: Cloud, user: User) => one.user.append(user.id, [storedPassword("")])
