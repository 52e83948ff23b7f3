/** A machine that a create has released is waited for until it runs: by the order's fiber at first, and by nobody's when it takes long. */
import { Clock, Effect, FiberRef, Option, Schema } from "effect"
import { isVmFailure, type SeenVm, type Vm } from "../../opennebula/index.js"
import {
  type Noted,
  OrderRefused,
  Parked,
  parksAfter,
  type Resource,
  type SiteError,
  timeLeft
} from "../../plugin/index.js"
import { startable, statusOf, whatItLacks, whereItIs } from "../machines.js"
import { factsOf, findVm, isStrangersIn, type VmFacts, whenWithin } from "./machine.js"
import type { VmOffering } from "./offering.js"
import type { Parent } from "./parent.js"

export const vanished = new OrderRefused({
  customerMessage: "The machine was removed from the cloud while it was being made: order again."
})

/**
 * It runs, or has done so: nothing that has not run comes to rest (OpenNebula 7.4 `LifeCycleManager`), and a guest may power itself off before anybody has
 * looked, as cloud-init's `power_state` has it. It was made, and what it has done in the meantime is the customer's.
 */
const hasRun = ({ state }: Pick<SeenVm, "state">): boolean => state === "Running" || startable.has(state)

const hasComeToSomething = (vm: SeenVm): boolean => hasRun(vm) || vm.state === "Done" || isVmFailure(vm.state)

/** What is kept of an order that waits is what this is given: it stands by itself, so that nothing of the attempt stays with it. */
const parkedFor = (
  { tellWhen }: VmOffering,
  vmId: number,
  { within, ...waited }: { readonly age: number; readonly isUnseen: boolean; readonly within: number }
) => new Parked({ within, watch: (tell) => tellWhen(vmId, hasComeToSomething, waited, tell) })

/** A machine that was waited for before this process began, and so long that its order would park at once. */
export const waitsForMachine =
  (offering: VmOffering) =>
  (noted: Noted): Effect.Effect<Option.Option<Parked>> =>
    Effect.gen(function* () {
      const released = Option.all([noted.result("vm", Schema.Int), noted.result("release", Schema.Number)])
      if (!noted.isAt("running") || Option.isNone(released)) return Option.none()
      const [vmId, releasedAt] = released.value
      const age = (yield* Clock.currentTimeMillis) - releasedAt
      const left = offering.settings.vm_start_timeout * 1000 - age
      // What was paused makes it more; whoever has none left asks for that.
      if (left <= 0 || age < (yield* FiberRef.get(parksAfter))) return Option.none()
      return Option.some(parkedFor(offering, vmId, { age, within: left, isUnseen: true }))
    })

interface Released {
  readonly vmId: number
  /** ms since 1970 */
  readonly releasedAt: number
  /** Hears of each look at the machine that has not come to anything yet. */
  readonly onItsWay: (vm: Vm) => void
}

/** A machine that takes long is waited for by nobody's fiber: the order is parked. */
const patiently = (
  offering: VmOffering,
  vmId: number,
  { age, left, onItsWay }: Pick<Released, "onItsWay"> & { readonly age: number; readonly left: number }
): Effect.Effect<Option.Option<Vm>, SiteError> =>
  Effect.gen(function* () {
    const first = yield* FiberRef.get(parksAfter)
    if (left <= first) return yield* whenWithin(offering, vmId, hasComeToSomething, left)
    const isOld = age >= first
    const within = isOld ? left : left - first
    const park = Effect.suspend(() => parkedFor(offering, vmId, { age: Math.max(age, first), isUnseen: false, within }))
    return yield* Effect.gen(function* () {
      // One that has taken long already, as after a restart, is looked at once.
      if (isOld && !hasComeToSomething(yield* offering.glance(vmId, first))) return yield* park
      const arrived = (vm: Vm): Option.Option<Vm> => {
        if (hasComeToSomething(vm)) return Option.some(vm)
        onItsWay(vm)
        return Option.none()
      }
      return Option.some(yield* offering.watch(vmId, arrived, first))
    }).pipe(
      Effect.catchTags({
        VmVanished: () => whenWithin(offering, vmId, hasComeToSomething, 0),
        WaitExpired: () => park
      })
    )
  })

export const untilRunning = (
  offering: VmOffering,
  resource: Resource,
  { group }: Pick<Parent, "group">,
  { onItsWay, releasedAt, vmId }: Released
): Effect.Effect<VmFacts, SiteError> =>
  Effect.gen(function* () {
    const seconds = offering.settings.vm_start_timeout
    const age = (yield* Clock.currentTimeMillis) - releasedAt
    const vm = yield* patiently(offering, vmId, { age, left: yield* timeLeft(seconds * 1000, releasedAt), onItsWay })
    if (Option.isNone(vm)) return yield* notStarted(offering, vmId, seconds)
    if (yield* isStrangersIn(offering, resource, group, vm.value)) return yield* vanished
    if (hasRun(vm.value)) return factsOf(vm.value)
    if (vm.value.state === "Done") return yield* vanished
    return yield* new OrderRefused({
      customerMessage: "The machine could not be started by the cloud: try again later, or ask the provider.",
      detail: `VM ${vmId} is ${statusOf(vm.value)}${yield* whereItIs(offering, vmId)}`
    })
  }).pipe(Effect.catchTag("NoSuchObject", () => vanished))

const withoutRoom = {
  sizes: (seconds: number) =>
    `The cloud found no room for the machine within ${seconds} s: order a smaller one, try again later, or ask the provider.`,
  disk: (seconds: number) =>
    `The cloud found no room for the machine's disk within ${seconds} s: order a smaller one, try again later, or ask the provider.`,
  quota: () =>
    "A quota does not allow the machine where the cloud has room for it: free some of it or have it raised, then order again, or ask the provider.",
  hosts: (seconds: number) =>
    `The cloud had no host that takes the machine within ${seconds} s, of whatever size: try again later, or ask the provider.`
}

export const notStarted = (offering: VmOffering, vmId: number, seconds: number) =>
  Effect.zipWith(findVm(offering, vmId), whereItIs(offering, vmId), (found, where) => {
    const waiting = Option.filter(found, ({ state }) => state === "Pending")
    return new OrderRefused({
      customerMessage: Option.match(waiting, {
        onNone: () => `The machine did not start within ${seconds} s: try again later, or ask the provider.`,
        onSome: (vm) => withoutRoom[whatItLacks(vm)](seconds)
      }),
      detail: `VM ${vmId} is ${Option.match(found, { onNone: () => "gone", onSome: statusOf })}${where}`
    })
  }).pipe(Effect.flatten)
