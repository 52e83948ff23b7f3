/** What is in a data centre, or hangs on it, and was not made with it: found before its end touches anything. */
import { Option } from "effect"
import type { Image, SecurityGroup, VirtualRouter, Vm, VmTemplate } from "../../../opennebula/index.js"
import type { TerminateRequest } from "../../../plugin/index.js"
import { isIn, isTaggedFor } from "../cloud.js"
import type { belongingsOf } from "./belongings.js"
import type { Inventory } from "./inventory.js"

type Own = ReturnType<typeof belongingsOf>
interface Named {
  readonly id: number
  readonly name: string
}

const calledAs = (kind: string) => (one: Named) => `${kind} ${one.id} (${one.name})`

/** There by the id that Waldur was told, and nothing else shows whose: given away by its tenant, or a stranger's with an id that came again. */
export const leftAlone = (found: Inventory, own: Own, { resource }: TerminateRequest): ReadonlyArray<string> => {
  const { recorded = {} } = resource
  const others = (kind: string, pool: ReadonlyArray<Named>, id: string | undefined, ids: ReadonlyArray<number>) =>
    pool.filter((one) => String(one.id) === id && !ids.includes(one.id)).map(calledAs(kind))
  return [
    ...others("network", found.networks, recorded.vnet_id, own.networks),
    ...others(
      "router",
      found.routers,
      recorded.vr_id,
      own.routers.map(({ id }) => id)
    ),
    ...others("security group", found.securityGroups, recorded.sg_id, own.securityGroups)
  ]
}

/** A router's machines whose router is gone, and which its end could not take along: no tenant's, as their tag says. */
export const strayRouterVms = ({ resource }: TerminateRequest, vms: ReadonlyArray<Vm>) =>
  vms.filter(({ userTemplate }) => isTaggedFor(resource.id, { template: userTemplate })).map(({ id }) => id)

/** Users in the group that this agent has not made: they block the group's end (OpenNebula 7.4), and are not ours to delete. */
export const strangersIn = (found: Inventory, own: Own): ReadonlyArray<string> =>
  own.group === null
    ? []
    : found.users
        .filter(
          (user) =>
            user.gid === own.group ||
            user.groups.some((id) => own.roleGroups.includes(id)) ||
            found.groups.some(({ id, users }) => id === own.group && users.includes(user.id))
        )
        .filter(({ id }) => ![own.users, own.members, own.logins].some((ours) => ours.includes(id)))
        .map(({ name }) => name)

const tenantGroups = ({ group, roleGroups }: Own): ReadonlyArray<number> => [
  ...(group === null ? [] : [group]),
  ...roleGroups
]

/**
 * What keeps a network or a security group from going, or runs on without the group: routers that somebody made by hand, with an address in the network or
 * machines in the group; networks with a part of the network's addresses (`one.vn.reserve`); other machines behind the security group. Not what holds an
 * address by hand alone, which goes with its network.
 */
export const holdersOf = (found: Inventory, own: Own): ReadonlyArray<string> => {
  const ownRouters = own.routers.map(({ id }) => id)
  const ends = [...own.machines, ...own.routers.flatMap(({ vms }) => vms)]
  const groups = tenantGroups(own)
  const holdsAddress = ({ nics, vms }: VirtualRouter) =>
    isIn({ nics: vms.length > 0 ? nics : nics.filter(({ floating }) => floating) }, own.networks)
  const routers = found.routers
    .filter(({ id }) => !ownRouters.includes(id))
    .filter((router) => holdsAddress(router) || (router.vms.length > 0 && groups.includes(router.gid)))
  const parts = found.networks.filter(
    ({ id, parentId }) => !own.networks.includes(id) && Option.exists(parentId, (of) => own.networks.includes(of))
  )
  // Of a router that was named already, or of its own.
  const behind = new Set(
    found.securityGroups.filter(({ id }: SecurityGroup) => own.securityGroups.includes(id)).flatMap(({ vms }) => vms)
  )
  const ofRouters = found.routers.flatMap(({ vms }) => vms)
  const machines = found.machines.filter(({ id }) => behind.has(id) && !ends.includes(id) && !ofRouters.includes(id))
  return [...routers.map(calledAs("router")), ...parts.map(calledAs("network")), ...machines.map(calledAs("machine"))]
}

interface Made extends Inventory {
  readonly images: ReadonlyArray<Image>
  readonly templates: ReadonlyArray<VmTemplate>
}

/**
 * What its people made, or were given, beside machines. OpenNebula keeps it when their user and group are deleted, with the ids of both (7.4, recordings 452
 * and 455), so nobody but an administrator can use it.
 */
export const stayingOf = (found: Made, own: Own): ReadonlyArray<string> => {
  const groups = tenantGroups(own)
  const of = (kind: string, pool: ReadonlyArray<Named & { readonly uid: number; readonly gid: number }>) =>
    pool.filter(({ gid, uid }) => groups.includes(gid) || own.users.includes(uid)).map(calledAs(kind))
  const others = <A extends Named>(pool: ReadonlyArray<A>, ids: ReadonlyArray<number>) =>
    pool.filter(({ id }) => !ids.includes(id))
  return [
    ...of("image", found.images),
    ...of("VM template", found.templates),
    ...of("network", others(found.networks, own.networks)),
    ...of("security group", others(found.securityGroups, own.securityGroups))
  ]
}
