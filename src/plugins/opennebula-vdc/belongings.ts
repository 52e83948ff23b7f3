/**
 * What belongs to a VDC in OpenNebula: found by owner tags, and, for what the Python agent made, by the group and what hangs on it.
 *
 * - An object with our resource's tag is ours, wherever it is. One with another resource's tag never is.
 * - A group without a tag counts if it is the resource's backend id: its number, or, from the Python agent, its name.
 * - What else that agent made has no tags, so its name alone proves nothing. It belongs to such a group only if it is named as that agent
 *   names it **and** hangs together with it: the VDC holds the group and no other, the network is in that VDC, the router's machines are in
 *   that network, the user's primary group is the group. A security group hangs on nothing: it counts if its owner is the network's.
 */
import { Effect, Option, Schema } from "effect"
import { OrderRefused, type TerminateRequest } from "../../core/index.js"
import {
  adoptedBy,
  type GroupShort,
  type SecurityGroup,
  type User,
  type Vdc,
  type VirtualNetwork,
  type VirtualRouter,
  type VmShort
} from "../../opennebula/index.js"
import { type Cloud, isTaggedFor, isUntagged, ownerResource } from "./cloud.js"
import { networkName, securityGroupName } from "./network.js"
import { routerName } from "./router.js"
import { userName } from "./tenant.js"

type Resource = Pick<TerminateRequest["resource"], "id" | "backendId">

const Ids = Schema.Array(Schema.Int)
export const Belongings = Schema.Struct({
  group: Schema.NullOr(Schema.Int),
  users: Ids,
  /** To be ended first: tenants' machines, and a router's whose router is gone. */
  machines: Ids,
  /** `vms`: noted, because a router's machines outlive it for a while. */
  routers: Schema.Array(Schema.Struct({ id: Schema.Int, vms: Ids })),
  networks: Ids,
  securityGroups: Ids,
  vdcs: Ids
})
export type Belongings = typeof Belongings.Type

/** Everything that a front-end has of the kinds that a VDC consists of. */
export interface Inventory {
  readonly groups: ReadonlyArray<GroupShort>
  readonly vdcs: ReadonlyArray<Vdc>
  readonly users: ReadonlyArray<User>
  readonly networks: ReadonlyArray<VirtualNetwork>
  readonly routers: ReadonlyArray<VirtualRouter>
  readonly securityGroups: ReadonlyArray<SecurityGroup>
  readonly machines: ReadonlyArray<VmShort>
}

export const inventory = ({ one }: Cloud) =>
  Effect.all(
    {
      groups: one.group.list(),
      vdcs: one.vdc.list(),
      users: one.user.list(),
      networks: one.network.list(),
      routers: one.router.list(),
      securityGroups: one.securityGroup.list(),
      machines: one.vm.list()
    },
    { concurrency: "unbounded" }
  )

/** Groups below this id are OpenNebula's own (`oneadmin`, `users`). */
export const firstTenantGroup = 100

/** Is this backend id the number of a group that can be a tenant's? */
export const isGroupId = (backendId: string): boolean =>
  /^\d{3,9}$/.test(backendId.trim()) && Number(backendId) >= firstTenantGroup

/** The group that a backend id means: its number, or, from the Python agent, its name. */
export const groupOf = (
  groups: ReadonlyArray<GroupShort>,
  resource: Resource
): Effect.Effect<GroupShort | undefined, OrderRefused> => {
  const backendId = resource.backendId.trim()
  const tagged = groups.find((group) => isTaggedFor(resource.id, group))
  if (backendId === "") return Effect.succeed(tagged)
  const named = /^\d+$/.test(backendId)
    ? groups.find(({ id }) => id === Number(backendId))
    : groups.find(({ name }) => name === backendId)
  const found = named ?? tagged
  if (found === undefined) return Effect.succeed(undefined)
  const owner = ownerResource(found) ?? Option.getOrUndefined(adoptedBy(found.template))
  if (found.id < firstTenantGroup || (owner !== undefined && owner !== resource.id)) {
    return new OrderRefused({
      customerMessage:
        "This data centre's identity in the cloud belongs to something else: ask the provider to correct it.",
      detail: `backend id "${backendId}" is group ${found.id} (${found.name}), which belongs to ${owner ?? "OpenNebula"}`
    })
  }
  return Effect.succeed(found)
}

const isIn = (machine: VmShort, networks: ReadonlyArray<number>): boolean =>
  machine.nics.some(({ networkId }) => Option.exists(networkId, (id) => networks.includes(id)))

/** Everything that belongs to the resource. */
export const belongingsOf = (found: Inventory, resource: Resource, group: GroupShort | undefined) => {
  const tagged = <A extends { readonly id: number; readonly template: GroupShort["template"] }>(
    objects: ReadonlyArray<A>
  ) => objects.filter((object) => isTaggedFor(resource.id, object))
  const legacy = group !== undefined && isUntagged(group) ? legacyOf(found, group) : nothing
  const networks = [...tagged(found.networks), ...legacy.networks].map(({ id }) => id)
  const routers = [...tagged(found.routers), ...legacy.routers].map(({ id, vms }) => ({ id, vms }))
  const routerVms = found.routers.flatMap(({ vms }) => vms)
  return {
    group: group?.id ?? null,
    users: [...tagged(found.users), ...legacy.users].map(({ id }) => id),
    machines: found.machines
      .filter((machine) => !routerVms.includes(machine.id))
      .filter((machine) => machine.gid === group?.id || isIn(machine, networks))
      .map(({ id }) => id),
    routers,
    networks,
    securityGroups: [...tagged(found.securityGroups), ...legacy.securityGroups].map(({ id }) => id),
    vdcs: [...tagged(found.vdcs), ...legacy.vdcs].map(({ id }) => id)
  } satisfies Belongings
}

type Legacy = Pick<Inventory, "vdcs" | "users" | "networks" | "routers" | "securityGroups">
const nothing: Legacy = { vdcs: [], users: [], networks: [], routers: [], securityGroups: [] }

/** What the Python agent made around an untagged group. */
const legacyOf = (found: Inventory, group: GroupShort): Legacy => {
  const untagged = <A extends { readonly name: string; readonly template: GroupShort["template"] }>(
    objects: ReadonlyArray<A>,
    name: string
  ) => objects.filter((object) => object.name === name && isUntagged(object))
  const vdcs = untagged(found.vdcs, group.name).filter(
    ({ id, groups }) => id !== 0 && groups.length === 1 && groups[0] === group.id
  )
  const inVdc = vdcs.flatMap((vdc) => vdc.networks.map(({ id }) => id))
  const networks = untagged(found.networks, networkName(group.name)).filter(({ id }) => inVdc.includes(id))
  const networkIds = networks.map(({ id }) => id)
  return {
    vdcs,
    networks,
    users: untagged(found.users, userName(group.name)).filter(({ gid }) => gid === group.id),
    routers: untagged(found.routers, routerName(group.name)).filter(
      ({ vms, nics }) =>
        found.machines.some((machine) => vms.includes(machine.id) && isIn(machine, networkIds)) ||
        nics.some(({ networkId }) => Option.exists(networkId, (id) => networkIds.includes(id)))
    ),
    securityGroups: untagged(found.securityGroups, securityGroupName(group.name)).filter(({ uid }) =>
      networks.some((network) => network.uid === uid)
    )
  }
}
