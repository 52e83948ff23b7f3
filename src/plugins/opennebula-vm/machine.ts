/** One VM as the handlers see it: whose it is, how it is brought into a state, how it is removed. */
import { Duration, Effect, Option, Schema } from "effect"
import { OrderRefused, type Resource, type SiteError, steadyMillis } from "../../core/index.js"
import {
  isVmFailure,
  type OpenNebulaError,
  ownerOf,
  type Vm,
  type VmAction,
  type VmShort,
  type VmState,
  vmStateText
} from "../../opennebula/index.js"
import { resourceName } from "../../opennebula/naming.js"
import type { VmOffering } from "./offering.js"
import { sameUuid } from "./parent.js"
import { Sizes, sizesOf } from "./sizes.js"

/** What is kept and shown of a VM. */
export const VmFacts = Schema.Struct({
  id: Schema.Int,
  /** Empty if it has none. */
  address: Schema.String,
  sizes: Sizes
})
export type VmFacts = typeof VmFacts.Type

export const factsOf = (vm: VmShort): VmFacts => ({ id: vm.id, address: addressOf(vm), sizes: sizesOf(vm) })

export const addressOf = (vm: VmShort): string =>
  Option.getOrElse(Option.firstSomeOf(vm.nics.map((nic) => nic.ip)), () => "")

/** A VM's `backend_id`; `undefined` if it is none. */
export const vmIdOf = (backendId: string): number | undefined =>
  /^\d{1,9}$/.test(backendId.trim()) ? Number(backendId) : undefined

/** None if it is Done, or there never was one. */
export const findVm = (offering: VmOffering, vmId: number): Effect.Effect<Option.Option<Vm>, OpenNebulaError> =>
  offering.one.vm.info(vmId).pipe(
    Effect.map((vm) => (vm.state === "Done" ? Option.none() : Option.some(vm))),
    Effect.catchTag("NoSuchObject", () => Effect.succeedNone)
  )

/**
 * Is this VM the resource's? By its tag. One without a tag may be the Python agent's: it must have the name that this agent gave it, as a
 * `backend_id` alone may come from another front-end or from a mistake.
 */
export const belongsTo = (offering: VmOffering, resource: Resource, vm: Vm): boolean =>
  Option.match(ownerOf(vm.userTemplate), {
    onSome: (owner) => sameUuid(owner.resource, resource.id),
    onNone: () => vm.name.toLowerCase() === resourceName(offering.settings.allocation_prefix, resource)
  })

export const notOurs = (resource: Resource, vm: Vm): OrderRefused =>
  new OrderRefused({
    customerMessage:
      "The machine with this resource's id in the cloud was not made for this resource, so it is left alone: ask the provider.",
    detail: `VM ${vm.id} "${vm.name}" has no WALDUR_RESOURCE_UUID="${resource.id}" in its user template, nor the resource's name`
  })

export const lockedRefusal = new OrderRefused({
  customerMessage: "The machine is locked in the cloud: unlock it, then order again."
})

/** States in which a VM stays by itself. In all others it is on its way, and takes no actions. */
const restingStates: ReadonlySet<VmState> = new Set([
  "Running",
  "Unknown",
  "Poweroff",
  "Suspended",
  "Stopped",
  "Undeployed",
  "Pending",
  "Hold",
  "Done"
])
export const isResting = (vm: Vm): boolean => restingStates.has(vm.state) || isVmFailure(vm.state)

/** The VM once `reached` says so; none if that takes longer. The last look is our own: the watcher's may be old, if the front-end was away. */
export const whenWithin = (
  offering: VmOffering,
  vmId: number,
  reached: (vm: Vm) => boolean,
  milliseconds: number
): Effect.Effect<Option.Option<Vm>, OpenNebulaError> =>
  offering.watch(vmId, Option.liftPredicate(reached), Duration.millis(Math.max(milliseconds, 0))).pipe(
    Effect.map(Option.some),
    Effect.catchTag("WaitExpired", "VmVanished", () =>
      Effect.map(offering.one.vm.info(vmId), Option.liftPredicate(reached))
    )
  )

/** Ends of a `drive`. `Stuck`: the deadline is over, or the tries are used up. */
export type Driven =
  | { readonly _tag: "Reached"; readonly vm: Vm }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Stuck"; readonly state: string }

export interface Drive {
  readonly action: VmAction
  readonly until: (vm: Vm) => boolean
  /** For all tries together. */
  readonly seconds: number
  /** How often it may fall back; without one: until the deadline. */
  readonly tries?: number
}

/** How long a VM may show its old state after an action was taken: OK means queued. */
const queuedFor = 2_000
const firstPause = 100
const longestPause = 10_000
/** A VM at rest that refuses an action so often in a row will not take it at all. */
const refusalsTaken = 5

/**
 * Brings a VM into a state by an action, as often as it takes. An action that fails is silent (recordings 195 to 197): the VM is back in its old state, and
 * only looking tells. One that comes while the VM is on its way (Boot) is refused, and is sent again when it has arrived.
 */
export const drive = (offering: VmOffering, vmId: number, what: Drive): Effect.Effect<Driven, SiteError> =>
  Effect.gen(function* () {
    const deadline = (yield* steadyMillis) + what.seconds * 1000
    const left = Effect.map(steadyMillis, (now) => deadline - now)
    let state: VmState = "Init"
    let pause = firstPause
    let refusals = 0
    for (let tried = 0; tried < (what.tries ?? Number.POSITIVE_INFINITY) && refusals < refusalsTaken; ) {
      const answer = yield* offering.one.vm.action(vmId, what.action).pipe(
        Effect.as("taken" as const),
        // Refused: it is there already, or on its way, or cannot get there from where it is. Its state tells.
        Effect.catchTag("ActionRefused", () => Effect.succeed("refused" as const)),
        Effect.catchTag("NoSuchObject", () => Effect.succeed("gone" as const))
      )
      if (answer === "gone") return { _tag: "Gone" } as const
      if (answer === "taken") tried += 1
      refusals = answer === "refused" ? refusals + 1 : 0
      const moving = yield* whenWithin(
        offering,
        vmId,
        (vm) => {
          state = vm.state
          return what.until(vm) || vm.state === "Done" || !isResting(vm)
        },
        Math.min(answer === "taken" ? queuedFor : firstPause, yield* left)
      )
      const arrived = yield* Option.match(moving, {
        onNone: () => Effect.succeed(moving),
        onSome: () =>
          Effect.flatMap(left, (milliseconds) =>
            whenWithin(
              offering,
              vmId,
              (vm) => {
                state = vm.state
                return what.until(vm) || isResting(vm)
              },
              milliseconds
            )
          )
      })
      if (Option.isSome(arrived)) {
        if (what.until(arrived.value)) return { _tag: "Reached", vm: arrived.value } as const
        if (arrived.value.state === "Done") return { _tag: "Gone" } as const
      }
      if ((yield* left) <= pause) break
      yield* Effect.sleep(Duration.millis(pause))
      pause = Math.min(pause * 2, longestPause)
    }
    return { _tag: "Stuck", state: vmStateText(state) } as const
  }).pipe(Effect.catchTag("NoSuchObject", () => Effect.succeed({ _tag: "Gone" } as const)))

/** Ends a VM from whatever state it is in, and waits until its disks and leases are free. Content if it is gone already. */
export const removeVm = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const end = yield* drive(offering, vmId, {
      action: "terminate-hard",
      until: (vm) => vm.state === "Done",
      seconds: offering.settings.terminate_timeout
    }).pipe(Effect.catchIf(isLocked, () => lockedRefusal))
    if (end._tag !== "Stuck") return
    return yield* new OrderRefused({
      customerMessage: "The cloud could not end the machine in time: try again later, or ask the provider.",
      detail: `VM ${vmId} is still ${end.state}`
    })
  })

/** Somebody locked it on purpose: that is not for us to undo, nor to wait for. */
export const isLocked = (error: SiteError): boolean => error._tag === "ObjectLocked"
