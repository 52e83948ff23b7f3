/** The virtual router `<name>_router` between the tenant's network and the outside. */
import { Duration, Effect, Option, Schema } from "effect"
import { isVmFailure, single, type Vm, vector } from "../../opennebula/index.js"
import {
  ensure,
  ensureDone,
  make,
  OrderRefused,
  type OrderRequest,
  type SiteError,
  steadyMillis,
  timeLeftOf
} from "../../plugin/index.js"
import { isLocked, released } from "../locks.js"
import { statusOf, whenWithin, whereItIs } from "../machines.js"
import { type Cloud, gone, isOthers, isTaggedFor, ownIn, tagsOf, unlessLocked } from "./cloud.js"
import { defaultSecurityGroup } from "./network.js"
import type { NetworkPlan, Plan } from "./plan.js"
import { addressText, gatewayOf, type Subnet } from "./subnet.js"

type Ordered = Pick<OrderRequest, "order" | "resource">

export const routerName = (name: string): string => `${name}_router`

const isOthersRouter =
  (cloud: Cloud, { resource }: Ordered) =>
  (routerId: number) =>
    isOthers(resource.id, cloud.one.router.info(routerId))

const isOthersMachine =
  (cloud: Cloud, { resource }: Ordered) =>
  (vmId: number) =>
    isOthers(
      resource.id,
      Effect.map(cloud.one.vm.info(vmId), ({ userTemplate }) => ({ template: userTemplate }))
    )

/** OpenNebula's refusal says no more than that it could not, where somebody has removed one of them meanwhile (0x2000 or 0x4000, by the call). */
const unlessNetworksGone =
  (cloud: Cloud, networks: ReadonlyArray<number>) =>
  <A, E extends SiteError, R>(work: Effect.Effect<A, E, R>) =>
    Effect.tapError(work, ({ _tag }) =>
      _tag === "InternalRefusal" || _tag === "AllocationRefused"
        ? Effect.forEach(networks, (id) => cloud.one.network.info(id), { discard: true })
        : Effect.void
    )

/** One interface inside, with the gateway's address, one outside. Router names need not be unique. */
export const makeRouter = (
  cloud: Cloud,
  request: Ordered,
  plan: Plan,
  network: NetworkPlan,
  networkId: number,
  subnet: Subnet
) =>
  make<number, number, SiteError, never>("router", {
    result: Schema.Int,
    find: ownIn(cloud, request, "router", cloud.one.router.list()),
    create: Effect.flatMap(tagsOf(request), (tags) =>
      cloud.one.router.allocate([
        single("NAME", routerName(plan.name)),
        vector("NIC", {
          NETWORK_ID: networkId,
          IP: addressText(gatewayOf(subnet)),
          // Also of a machine that somebody makes for it later: with the tenant's rules before it, it would pass nothing on.
          SECURITY_GROUPS: network.rulesAlone ? defaultSecurityGroup : undefined
        }),
        vector("NIC", { NETWORK_ID: network.externalNetwork }),
        ...tags
      ])
    ).pipe(unlessNetworksGone(cloud, [networkId, network.externalNetwork])),
    undo: (routerId) => removeRouter(cloud, routerId, []),
    isOthers: isOthersRouter(cloud, request)
  })

/**
 * The router's VM, from the provider's template. `one.vrouter.instantiate` answers the router's id, so the VM's is read.
 *
 * It is found by its tag, not by its router: a router that is gone does not say which VMs it had, and one whose driver failed to end it
 * would live on in the network for ever.
 */
export const instantiateRouter = (
  cloud: Cloud,
  request: Ordered,
  plan: Plan,
  network: NetworkPlan,
  networkId: number,
  routerId: number
) => {
  const vm = Effect.map(cloud.one.router.info(routerId), ({ vms }) => Option.fromNullable(vms[0]))
  return make<number, number, SiteError, never>("router VM", {
    result: Schema.Int,
    find: ownIn(
      cloud,
      request,
      "VM",
      Effect.map(cloud.one.vm.listExtended(), (vms) =>
        vms.flatMap((found) => (found.state === "Done" ? [] : [{ ...found, template: found.userTemplate }]))
      )
    ),
    create: Effect.flatMap(tagsOf(request), (tags) =>
      cloud.one.router.instantiate(routerId, {
        count: 1,
        templateId: network.routerTemplate,
        name: `${routerName(plan.name)}_vm`,
        extra: [...(network.scheduling === "" ? [] : [single("SCHED_REQUIREMENTS", network.scheduling)]), ...tags]
      })
    ).pipe(
      unlessNetworksGone(cloud, [networkId, network.externalNetwork]),
      Effect.zipRight(Effect.flatMap(vm, Option.match({ onSome: Effect.succeed, onNone: noVm })))
    ),
    undo: (vmId) => removeRouter(cloud, routerId, [vmId]),
    isOthers: (vmId) =>
      Effect.flatMap(isOthersMachine(cloud, request)(vmId), (is) =>
        is ? Effect.succeed(true) : isOthersRouter(cloud, request)(routerId)
      )
  })
}

const noVm = () =>
  new OrderRefused({
    customerMessage: "The router of this data centre could not be made: try again later, or ask the provider.",
    detail: "one.vrouter.instantiate answered OK and made no VM"
  })

/** To the tenant's group. Only after `instantiate`: it takes the VM and its share of the quotas along (OpenNebula 7.4). */
export const handOverRouter = (cloud: Cloud, routerId: number, groupId: number) =>
  ensureDone("router handed over", cloud.one.router.chown(routerId, { gid: groupId }))

const running = "router runs"

/** The one slow wait of a create. The result is the router's address outside, of which `onItsWay` hears before. */
export const routerRuns = (
  cloud: Cloud,
  { resource }: Ordered,
  network: NetworkPlan,
  vmId: number,
  onItsWay: (address: string) => void
) =>
  ensure(running, {
    result: Schema.String,
    looks: true,
    perform: Effect.gen(function* () {
      const seconds = cloud.settings.router_start_timeout
      const deadline = (yield* steadyMillis) + (yield* timeLeftOf(running, seconds * 1000))
      const settled = Effect.gen(function* () {
        const arrived = (seen: Vm): boolean => {
          if (hasSettled(seen)) return true
          onItsWay(outsideAddress(seen, network.externalNetwork))
          return false
        }
        const vm = yield* whenWithin(cloud, vmId, arrived, deadline - (yield* steadyMillis))
        if (Option.isSome(vm)) return vm.value
        return yield* notStarted(`VM ${vmId} is ${yield* statusAndPlace(cloud, vmId)} after ${seconds} s`)
      }).pipe(Effect.catchTag("NoSuchObject", () => notStarted(`VM ${vmId} has vanished`)))
      const seen = yield* settled
      if (!isTaggedFor(resource.id, { template: seen.userTemplate })) {
        return yield* notStarted(`VM ${vmId} is somebody else's by now`)
      }
      const vm = seen.state === "Hold" ? yield* Effect.zipRight(release(cloud, vmId), settled) : seen
      if (vm.state !== "Running")
        return yield* notStarted(`VM ${vmId} is ${statusOf(vm)}${yield* whereItIs(cloud, vmId)}`)
      return outsideAddress(vm, network.externalNetwork)
    })
  })

const statusAndPlace = (cloud: Cloud, vmId: number) =>
  Effect.zipWith(cloud.one.vm.info(vmId), whereItIs(cloud, vmId), (vm, where) => `${statusOf(vm)}${where}`)

const hasSettled = ({ state }: Vm): boolean =>
  state === "Running" || state === "Done" || state === "Hold" || isVmFailure(state)

/**
 * OpenNebula makes a router's VM on hold and releases it, once and in vain while its image is still being copied (7.4
 * `VirtualRouterAPI::instantiate`): then it is on hold for good.
 */
const release = (cloud: Cloud, vmId: number) =>
  cloud.one.vm.action(vmId, "release").pipe(Effect.catchTag("ActionRefused", () => Effect.void))

const notStarted = (detail: string) =>
  new OrderRefused({
    customerMessage: "The router of this data centre could not be started: try again later, or ask the provider.",
    detail
  })

const outsideAddress = (vm: Vm, externalNetwork: number): string => {
  const nic = vm.nics.find(({ networkId }) => Option.contains(networkId, externalNetwork))
  return nic === undefined ? "" : Option.getOrElse(nic.ip, () => "")
}

/**
 * Deletes the router and sees its VMs to their end: until then they hold their leases. `knownVms`: noted earlier, for when the router itself is gone already.
 * It has told them then, and perhaps in vain: they are told again.
 */
export const removeRouter = (
  cloud: Cloud,
  routerId: number,
  knownVms: ReadonlyArray<number>
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const router = yield* cloud.one.router.info(routerId).pipe(
      Effect.asSome,
      Effect.catchTag("NoSuchObject", () => Effect.succeedNone)
    )
    if (Option.isNone(router)) return yield* endVms(cloud, knownVms)
    yield* gone(cloud.one.router.delete(routerId)).pipe(unlessLocked(`router ${routerId}`))
    yield* awaitEnd(cloud, [...new Set([...knownVms, ...router.value.vms])])
  })

/** Ends VMs, whatever state they are in, and waits until they are Done. */
export const endVms = (cloud: Cloud, vmIds: ReadonlyArray<number>): Effect.Effect<void, SiteError> =>
  Effect.zipRight(
    Effect.forEach(vmIds, (vmId) => terminate(cloud, vmId), { discard: true }),
    awaitEnd(cloud, vmIds)
  )

/** Refused while a VM boots (0x0800), so the wait below tries again. One that is paused has our own lock. */
const terminate = (cloud: Cloud, vmId: number) => {
  const end = gone(cloud.one.vm.action(vmId, "terminate-hard"))
  return end.pipe(
    Effect.catchIf(isLocked, () =>
      gone(Effect.flatMap(cloud.one.vm.info(vmId), (vm) => Effect.zipRight(released(cloud, vm), end)))
    ),
    Effect.catchTag("ActionRefused", () => Effect.void),
    unlessLocked(`machine ${vmId}`)
  )
}

/**
 * A driver that fails to end a VM says nothing, and a VM that booted while its router was deleted was told in vain: both run on (OpenNebula
 * 7.4). So a VM is told again after this many milliseconds, and then after three times as long each time.
 */
const firstPatience = 2_000

const awaitEnd = (cloud: Cloud, vmIds: ReadonlyArray<number>) =>
  Effect.forEach(vmIds, (vmId) => awaitOne(cloud, vmId), { concurrency: "unbounded", discard: true })

const awaitOne = (cloud: Cloud, vmId: number) => {
  const wait = (milliseconds: number) =>
    cloud
      .watch(
        vmId,
        Option.liftPredicate(({ state }: Vm) => state === "Done"),
        Duration.millis(milliseconds)
      )
      .pipe(
        Effect.as(true),
        Effect.catchTags({ VmVanished: () => Effect.succeed(true), WaitExpired: () => Effect.succeed(false) })
      )
  return Effect.gen(function* () {
    const deadline = (yield* steadyMillis) + cloud.settings.teardown_timeout * 1000
    for (let patience = firstPatience; ; patience *= 3) {
      const left = deadline - (yield* steadyMillis)
      if (yield* wait(Math.max(Math.min(patience, left), 0))) return
      if (left <= patience) break
      yield* terminate(cloud, vmId)
    }
    // The watcher's last look may be old, or none at all, as where this process has stood still for longer than all of that.
    const vm = yield* cloud.one.vm.info(vmId)
    if (vm.state === "Done") return
    return yield* new OrderRefused({
      customerMessage: `The machine ${vm.name} could not be ended: ask the provider to look at it, then order again.`,
      detail: `VM ${vmId} is ${statusOf(vm)}${yield* whereItIs(cloud, vmId)} after ${cloud.settings.teardown_timeout} s`
    })
  })
}
