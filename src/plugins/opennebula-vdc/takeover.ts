/**
 * What the Python agent has left of a create that it was stopped in: its objects have no tags, so the steps would not find them, and their names are
 * taken. It hands a data centre over at its very end, so nobody uses it yet: it gets this order's tags, and the steps go on with it.
 *
 * Only of an order that may have been begun elsewhere, which its journal says. An object counts if it has the name that that agent gives it, no owner tag, the
 * agent's own user for its owner where OpenNebula knows one, and hangs together with the VDC; group and VDC if nothing of anybody else's is in them.
 */
import { Effect, Option } from "effect"
import {
  adoptedBy,
  type GroupShort,
  type Template,
  type User,
  type Vdc,
  type VirtualRouter
} from "../../opennebula/index.js"
import { ensureDone, mayBeBegunElsewhere, type OrderRequest } from "../../plugin/index.js"
import { type Inventory, inventory } from "./belongings/inventory.js"
import { type Cloud, isIn, isTaggedFor, isUntagged, tagsOf } from "./cloud.js"
import { networkName, securityGroupName } from "./network.js"
import { firstTenantGroup } from "./own-group.js"
import type { Plan } from "./plan.js"
import { routerName } from "./router.js"
import { userName } from "./tenant.js"

type Ordered = Pick<OrderRequest, "order" | "resource">

export const takeOver = (cloud: Cloud, request: Ordered, plan: Plan) =>
  Effect.flatMap(mayBeBegunElsewhere, (may) =>
    may ? ensureDone("taken over", tagAll(cloud, request, plan)) : Effect.void
  )

const tagAll = (cloud: Cloud, request: Ordered, plan: Plan) =>
  Effect.gen(function* () {
    const { one } = cloud
    const tags = yield* tagsOf(request)
    const [found, agent] = yield* Effect.all([inventory(cloud), one.user.info(-1)], { concurrency: "unbounded" })
    const left = leftOf(found, request, plan.name, agent.id)
    const untagged = <A extends Named>(objects: ReadonlyArray<A>) => objects.filter(isUntagged)
    for (const { id } of untagged(left.vdcs)) yield* one.vdc.append(id, tags)
    for (const { id } of untagged(left.networks)) yield* one.network.append(id, tags)
    for (const { id } of untagged(left.securityGroups)) yield* one.securityGroup.append(id, tags)
    for (const router of untagged(left.routers)) yield* takeRouter(cloud, router, tags)
    const [group] = left.groups
    if (group === undefined) return
    for (const { id } of untagged(left.users)) yield* one.user.append(id, tags)
    if (isUntagged(group)) yield* one.group.append(group.id, tags)
  })

/** With its machines, which the steps look for by their own tags. */
const takeRouter = (cloud: Cloud, router: VirtualRouter, tags: Template) =>
  Effect.gen(function* () {
    for (const vm of router.vms) yield* cloud.one.vm.append(vm, tags)
    yield* cloud.one.router.append(router.id, tags)
  })

interface Named {
  readonly name: string
  readonly template: Template
}

const leftOf = (found: Inventory, { resource }: Ordered, name: string, agent: number) => {
  const own = <A extends Named>(objects: ReadonlyArray<A>, called: string) =>
    objects.filter((object) => object.name === called && (isUntagged(object) || isTaggedFor(resource.id, object)))
  const byAgent = <A extends Named & { readonly uid: number }>(objects: ReadonlyArray<A>, called: string) =>
    own(objects, called).filter(({ uid }) => uid === agent)
  // An empty group of that name may be anybody's: it takes a VDC of that name, or that Waldur was told of it. As a network takes the VDC, and the router
  // a machine in the network.
  const named = own(found.vdcs, name).filter(({ id }) => id !== 0)
  const inNamed = named.flatMap((vdc) => vdc.networks.map(({ id }) => id))
  const networks = byAgent(found.networks, networkName(name)).filter(({ id }) => inNamed.includes(id))
  const networkIds = networks.map(({ id }) => id)
  const routers = byAgent(found.routers, routerName(name)).filter(({ vms }) =>
    found.machines.some((machine) => vms.includes(machine.id) && isIn(machine, networkIds))
  )
  const routerVms = routers.flatMap(({ vms }) => vms)
  const users = own(found.users, userName(name))
  const isKnown = named.length > 0 || resource.backendId.trim() === name
  const groups = own(found.groups, name).filter(
    (group) => isKnown && isNobodyElses(found, group, { resource: resource.id, name, users, routerVms })
  )
  const groupIds = groups.map(({ id }) => id)
  // Without its group, a VDC of that name may be anybody's, too.
  const vdcs = groups.length === 0 ? [] : named.filter(({ groups }) => groups.every((id) => groupIds.includes(id)))
  return {
    groups,
    vdcs,
    networks,
    routers,
    securityGroups: networks.length === 0 ? [] : byAgent(found.securityGroups, securityGroupName(name)),
    users: users.filter(({ gid }) => groupIds.includes(gid))
  }
}

interface Around {
  readonly resource: string
  readonly name: string
  readonly users: ReadonlyArray<User>
  readonly routerVms: ReadonlyArray<number>
}

/** No other's user and no machine is in it, and no VDC but the first one, which takes every group, and its own. */
const isNobodyElses = (found: Inventory, group: GroupShort, { resource, name, users, routerVms }: Around): boolean =>
  group.id >= firstTenantGroup &&
  Option.getOrElse(adoptedBy(group.template), () => resource) === resource &&
  group.users.every((id) => users.some((user) => user.id === id)) &&
  found.machines.every(({ gid, id }) => gid !== group.id || routerVms.includes(id)) &&
  found.vdcs.every((vdc: Vdc) => vdc.id === 0 || vdc.name === name || !vdc.groups.includes(group.id))
