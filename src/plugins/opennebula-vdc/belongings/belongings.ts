/**
 * What belongs to a VDC in OpenNebula: found by owner tags, and, for what the Python agent made, by the group and what hangs on it.
 *
 * - An object with our resource's tag is ours, unless it is in another resource's group: tenants write tags into what is theirs. One with another
 *   resource's tag never is, but for the tenant's user, which is known by its name and its primary group: it may write into its own template.
 * - What was made with it is ours whatever it says by now (`as-made.ts`).
 * - A group without a tag counts if it is the resource's backend id: its number, or, from the Python agent, its name.
 * - What else that agent made has no tags, so its name alone proves nothing. It belongs to such a group only if it is named as that agent names it
 *   **and** hangs together with it: the VDC holds the group and no other but those of its roles, the network is in that VDC, the router's machines
 *   are in that network, the user's primary group is the group. A security group hangs on nothing: it counts if its owner is the network's.
 */
import { Option, Schema } from "effect"
import type { GroupShort, User } from "../../../opennebula/index.js"
import type { TerminateRequest } from "../../../plugin/index.js"
import { othersGroups, ownerResource } from "../../groups.js"
import { isIn, isTaggedFor, isUntagged } from "../cloud.js"
import { personOf } from "../members/people.js"
import { accessOf, roleGroupsOf } from "../members/role-groups.js"
import { networkName, securityGroupName } from "../network.js"
import { routerName } from "../router.js"
import { userName } from "../tenant.js"
import { asMade, idsOf, without } from "./as-made.js"
import type { Inventory } from "./inventory.js"
import { legacyOf, nothing, pythonRoleGroups, vdcsAround } from "./legacy.js"
import { Retagged, retaggedOf } from "./retagged.js"

type Resource = Pick<TerminateRequest["resource"], "id" | "backendId" | "recorded">

const Ids = Schema.Array(Schema.Int)
export const Belongings = Schema.Struct({
  group: Schema.NullOr(Schema.Int),
  users: Ids,
  /** Accounts of members of the project: they leave the group, and stay. */
  members: Schema.optionalWith(Ids, { default: () => [] }),
  /** Groups of roles, for members who log in through Keycloak, and the accounts that are there for these groups alone. */
  roleGroups: Schema.optionalWith(Ids, { default: () => [] }),
  logins: Schema.optionalWith(Ids, { default: () => [] }),
  /** The group's name; null if there is no group. */
  slug: Schema.optionalWith(Schema.NullOr(Schema.String), { default: () => null }),
  /** To be ended first: tenants' machines, and a router's whose router is gone. */
  machines: Ids,
  /** `vms`: noted, because a router's machines outlive it for a while. */
  routers: Schema.Array(Schema.Struct({ id: Schema.Int, vms: Ids })),
  networks: Ids,
  securityGroups: Ids,
  vdcs: Ids,
  /** What of these says that it is another's, or nobody's. */
  retagged: Schema.optionalWith(Schema.Array(Retagged), { default: () => [] }),
  /** What its people made beside machines, and that stays: "image 12 (disk)". */
  staying: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] })
})
export type Belongings = typeof Belongings.Type

/**
 * Is something of what was noted somebody else's by now? What is there must have the resource's tag, or none and the name by which it was found.
 */
export const isOthersIn = (
  found: Inventory,
  { noted, resource }: { readonly resource: Resource; readonly noted: Belongings }
) => {
  const { slug } = noted
  const { id } = resource
  const made = asMade(found, resource, noted)
  const own = (object: Named, name: string) => {
    const owner = ownerResource(object)
    return owner === undefined ? slug === null || object.name === name : owner === id
  }
  const isForeign = (pool: ReadonlyArray<Named>, ids: ReadonlyArray<number>, name: (slug: string) => string) =>
    pool.some((object) => ids.includes(object.id) && !own(object, name(slug ?? "")))
  const groups = [...(noted.group === null ? [] : [noted.group]), ...noted.roleGroups]
  return (
    isForeign(found.groups, noted.group === null ? [] : [noted.group], (name) => name) ||
    found.groups.some(
      (group) =>
        noted.roleGroups.includes(group.id) && accessOf(group) !== id && !group.name.startsWith(`${slug ?? ""}-`)
    ) ||
    isForeign(
      found.users.filter((user) => !isTenantUser(user, noted)),
      noted.users,
      userName
    ) ||
    isForeign(found.vdcs, noted.vdcs, (name) => name) ||
    isForeign(without(found.networks, made.networks), noted.networks, networkName) ||
    isForeign(
      without(found.routers, made.routers),
      noted.routers.map((router) => router.id),
      routerName
    ) ||
    isForeign(without(found.securityGroups, made.securityGroups), noted.securityGroups, securityGroupName) ||
    found.machines.some(
      (machine) =>
        noted.machines.includes(machine.id) && !groups.includes(machine.gid) && !isIn(machine, noted.networks)
    )
  )
}

/** Only an administrator puts a user there, or gives it a name. */
const isTenantUser = (
  { gid, name }: Pick<User, "gid" | "name">,
  { group, slug }: Pick<Belongings, "group" | "slug">
): boolean => group !== null && slug !== null && gid === group && name === userName(slug)

interface Named {
  readonly id: number
  readonly name: string
  readonly template: GroupShort["template"]
}

/** Everything that belongs to the resource. */
export const belongingsOf = (found: Inventory, resource: Resource, group: GroupShort | undefined) => {
  const others = othersGroups(found.groups, resource.id)
  const tagged = <A extends { readonly id: number; readonly gid?: number; readonly template: GroupShort["template"] }>(
    objects: ReadonlyArray<A>
  ) => objects.filter((object) => isTaggedFor(resource.id, object) && !others.has(object.gid ?? -1))
  const own = { group: group?.id ?? null, slug: group?.name ?? null }
  const legacy = group !== undefined && isUntagged(group) ? legacyOf(found, resource.id, group) : nothing
  const made = asMade(found, resource, own)
  const networks = idsOf(tagged(found.networks), legacy.networks, made.networks)
  const routerIds = idsOf(tagged(found.routers), legacy.routers, made.routers)
  const routers = found.routers.filter(({ id }) => routerIds.includes(id)).map(({ id, vms }) => ({ id, vms }))
  const routerVms = found.routers.flatMap(({ vms }) => vms)
  const roleGroups = [
    ...roleGroupsOf(found, resource.id, group?.id),
    ...(group === undefined ? [] : pythonRoleGroups(found, group))
  ].map(({ id }) => id)
  const tenantGroups = [...(group === undefined ? [] : [group.id]), ...roleGroups]
  return {
    ...own,
    roleGroups,
    logins: found.users
      .filter(({ authDriver, groups }) => authDriver === "saml" && groups.every((id) => roleGroups.includes(id)))
      .map(({ id }) => id),
    users: [
      ...new Set(
        [...tagged(found.users), ...legacy.users, ...found.users.filter((user) => isTenantUser(user, own))].map(
          ({ id }) => id
        )
      )
    ],
    members: found.users
      .filter((user) => group !== undefined && user.groups.includes(group.id) && Option.isSome(personOf(user)))
      .map(({ id }) => id),
    machines: found.machines
      .filter((machine) => !routerVms.includes(machine.id))
      .filter((machine) => tenantGroups.includes(machine.gid) || isIn(machine, networks))
      .map(({ id }) => id),
    routers,
    networks,
    securityGroups: idsOf(tagged(found.securityGroups), legacy.securityGroups, made.securityGroups),
    // Also one whose tag an administrator has taken off: the group says whose it is.
    vdcs: idsOf(tagged(found.vdcs), group === undefined ? [] : vdcsAround(found, group).filter(isUntagged)),
    retagged: retaggedOf(made, found, resource.id, own.group),
    staying: []
  } satisfies Belongings
}
