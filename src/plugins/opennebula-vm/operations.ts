/** What an update does to a VM, each to be repeated without harm, each with its way back. */
import { Effect, Option } from "effect"
import {
  type ActionRefused,
  isVmFailure,
  type OwnerMissing,
  QuotaExceeded,
  type Vm,
  type VmState
} from "../../opennebula/index.js"
import { OrderRefused, type SiteError } from "../../plugin/index.js"
import { isLocked, lockedRefusal } from "../locks.js"
import { queuedFor } from "../machines.js"
import { markStopped, unmarkStopped } from "../standing.js"
import type { Capacity } from "./change.js"
import { type Driven, drive, isResting, statusOf, whenWithin, whereItIs } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { pausedParent } from "./parent.js"
import { quotaRefusal } from "./quota.js"

/** A class of its own, as its identity does not last: an error that has passed through a span is another object. */
class Vanished extends OrderRefused {}
export const vanished = new Vanished({
  customerMessage: "The machine does not exist in the cloud any more, so it cannot be changed."
})

/** What OpenNebula is given for a change of state that it makes by itself, in seconds. */
const patience = 300
/** A VM that falls back into its old state so often will not go. */
const tries = 3

/** No order brings a machine there: somebody has, for reasons of theirs, and left it so. */
const isLeft = (state: VmState): boolean => state === "Suspended" || state === "Stopped"
const byOthers =
  "Somebody else has started or stopped the machine while it was being changed, so it was left as it was: wait until it runs, then order again."

/** The guest is asked to shut down; when it takes too long, or does not, it is switched off. */
export const powerOff = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const off = { until: (vm: Vm) => vm.state === "Poweroff", tries }
    const asked = yield* drive(offering, vmId, {
      ...off,
      action: "poweroff",
      seconds: offering.settings.poweroff_timeout
    })
    if (asked._tag === "Stuck" && isLeft((yield* offering.one.vm.info(vmId)).state)) {
      return yield* new OrderRefused({ customerMessage: byOthers, detail: `VM ${vmId} is ${asked.state}` })
    }
    const end =
      asked._tag === "Stuck"
        ? yield* drive(offering, vmId, { ...off, action: "poweroff-hard", seconds: patience })
        : asked
    yield* reached(
      offering,
      end,
      vmId,
      "The machine could not be powered off, so it was not changed: try again later, or ask the provider."
    )
  })

export const bringUp = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
  unlessVanished(
    Effect.gen(function* () {
      yield* tryAgainIfFailed(offering, vmId)
      const { state } = yield* offering.one.vm.info(vmId)
      // Also when the power-off was refused (a locked VM): then nothing may be sent at all.
      if (state === "Running" || isLeft(state)) return
      yield* startedUnlessPaused(offering, vmId, "The machine could not be started again: ask the provider.")
    })
  )

/**
 * A VM that did not boot takes no action but `recover` (recordings 190 to 194): without it, an update that failed so could never be
 * taken back. Waits until it runs, or has failed again.
 */
const tryAgainIfFailed = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const { state } = yield* offering.one.vm.info(vmId)
    if (!isVmFailure(state)) return
    // Refused: it has gone on by itself, or by somebody else's hand.
    yield* Effect.catchTag(offering.one.vm.retry(vmId), "ActionRefused", () => Effect.void)
    // OK means queued: it may still show the old failure for a moment.
    yield* whenWithin(offering, vmId, (vm) => !isVmFailure(vm.state), queuedFor)
    yield* whenWithin(offering, vmId, isResting, patience * 1000)
  })

/** An undo has nothing to put back in a VM that is gone. One that somebody has locked is left over: that is tried again, and nobody waits. */
const unlessVanished = (undo: Effect.Effect<unknown, SiteError>): Effect.Effect<void, SiteError> =>
  Effect.asVoid(undo).pipe(
    Effect.catchIf(
      (error) => error instanceof Vanished || error._tag === "NoSuchObject",
      () => Effect.void
    ),
    Effect.catchIf(isLocked, () => lockedRefusal("machine"))
  )

const started = (offering: VmOffering, vmId: number, sentence: string): Effect.Effect<Vm, SiteError> =>
  Effect.flatMap(
    drive(offering, vmId, { action: "resume", until: (vm) => vm.state === "Running", seconds: patience, tries }),
    (end) => reached(offering, end, vmId, sentence)
  )

/**
 * The machine, which runs; or is off because its data centre has been paused while it was changed: then it is started with that one's others. It is marked for that
 * first, and tried once more: whoever ends the pause lifts the quota before he looks for marks, so one of the two starts it.
 */
export const startedUnlessPaused = (
  offering: VmOffering,
  vmId: number,
  sentence: string
): Effect.Effect<Vm, SiteError> => {
  const start = started(offering, vmId, sentence)
  return Effect.catchIf(start, isExhausted, (exhausted) =>
    Effect.gen(function* () {
      const dataCentre = yield* pausedParent(offering.one, yield* offering.one.vm.info(vmId))
      if (Option.isNone(dataCentre)) return yield* exhausted
      yield* markStopped(offering, vmId, dataCentre.value)
      return yield* Effect.tap(start, unmarkStopped(offering, vmId)).pipe(
        Effect.catchIf(isExhausted, () => offering.one.vm.info(vmId))
      )
    })
  )
}

const isExhausted = (error: SiteError): error is QuotaExceeded => error instanceof QuotaExceeded

const reached = (
  offering: VmOffering,
  end: Driven,
  vmId: number,
  sentence: string
): Effect.Effect<Vm, OrderRefused> => {
  if (end._tag === "Reached") return Effect.succeed(end.vm)
  if (end._tag === "Gone") return vanished
  return Effect.flatMap(
    whereItIs(offering, vmId),
    (where) => new OrderRefused({ customerMessage: sentence, detail: `VM ${vmId} stays ${end.state}${where}` })
  )
}

const ownerless = (error: OwnerMissing): OrderRefused =>
  new OrderRefused({
    customerMessage:
      "The machine's owner in the cloud does not exist any more, so it cannot be changed: ask the provider.",
    detail: error.message
  })

/** Once at rest, or still on its way after that. */
const atRest = (offering: VmOffering, vmId: number) => whenWithin(offering, vmId, isResting, patience * 1000)

/**
 * In Poweroff it is done when the call returns. One that is moved, saved or taken off its host by hand meanwhile (`PROLOG_MIGRATE_POWEROFF`, `BACKUP_POWEROFF`,
 * `EPILOG_UNDEPLOY`) takes nothing until that is over, and is asked again then; one that has been started is not. `enforce`: the host's capacity counts;
 * not on the way back.
 */
export const resize = (
  offering: VmOffering,
  vmId: number,
  capacity: Capacity,
  enforce: boolean
): Effect.Effect<void, SiteError> => {
  const call = offering.one.vm.resize(vmId, capacity, { enforce })
  return call.pipe(
    Effect.catchTag("ActionRefused", (error) =>
      Effect.flatMap(atRest(offering, vmId), (vm) =>
        Option.exists(vm, ({ state }) => isResizable(state)) ? call : notResized(vm, error)
      )
    ),
    Effect.catchTag("ActionRefused", (error) =>
      Effect.flatMap(whenWithin(offering, vmId, isResting, queuedFor), (vm) => notResized(vm, error))
    ),
    Effect.catchTag("NoSuchObject", () => vanished),
    Effect.catchTag("OwnerMissing", ownerless)
  )
}

/** Of one that is powered off it is the host that has no room. Somebody may have started, stopped or ended it since it was powered off. None: it is on its way. */
const notResized = (vm: Option.Option<Vm>, { message }: ActionRefused): OrderRefused => {
  if (Option.exists(vm, ({ state }) => state === "Done")) return vanished
  return new OrderRefused({
    customerMessage: Option.match(vm, {
      onNone: () => busy,
      onSome: ({ state }) =>
        state === "Poweroff"
          ? "The cloud has no room for the ordered sizes where the machine is: order less, or try again later."
          : byOthers
    }),
    detail: message
  })
}

const busy =
  "The machine is being moved or saved in the cloud, so it was not changed: wait until that is over, then order again."

/**
 * Off again first, if the VM has come up with sizes that are not the ordered ones, and up again whatever comes of it: a later try, for what was
 * left over, finds the power-off itself taken back already. A VM that runs is not switched off for a resize that the quota will refuse.
 */
export const undoResize = (
  offering: VmOffering,
  vmId: number,
  running: boolean,
  capacity: Capacity
): Effect.Effect<void, SiteError> =>
  unlessVanished(
    Effect.gen(function* () {
      const vm = yield* offering.one.vm.info(vmId)
      if (hasCapacity(vm, capacity)) return
      if (!running) return yield* resize(offering, vmId, capacity, false)
      if (vm.state === "Running") yield* quotaAllows(offering, vm, capacity)
      yield* tryAgainIfFailed(offering, vmId)
      const { state } = yield* offering.one.vm.info(vmId)
      if (!isResizable(state)) yield* powerOff(offering, vmId)
      const resized = yield* Effect.either(resize(offering, vmId, capacity, false))
      yield* bringUp(offering, vmId)
      yield* resized
    })
  )

const isOff = (state: VmState): boolean => state === "Poweroff" || state === "Undeployed"
/** As it is (recorded): what waits for a host, or was taken off one by hand, cannot be powered off. */
const isResizable = (state: VmState): boolean => isOff(state) || state === "Pending"

const hasCapacity = (vm: Vm, { cpu, vcpu, memory }: Capacity): boolean =>
  (cpu === undefined || cpu === vm.cpu) &&
  (vcpu === undefined || vcpu === vm.vcpu) &&
  (memory === undefined || memory === vm.memory)

const quotaAllows = (offering: VmOffering, vm: Vm, { cpu, memory }: Capacity): Effect.Effect<void, SiteError> =>
  offering.one.group.info(vm.gid).pipe(
    Effect.flatMap((group) => {
      const growth = { cpu: (cpu ?? vm.cpu) - vm.cpu, memory: (memory ?? vm.memory) - vm.memory, disk: 0 }
      return quotaRefusal(group, growth, true) ?? Effect.void
    }),
    Effect.catchTag("NoSuchObject", () => Effect.void)
  )

/** Sent when the VM is at rest, and over when it is so again: a `resume` in between would be refused. A driver's failure is silent. */
export const growDisk = (
  offering: VmOffering,
  vmId: number,
  disk: { readonly id: number; readonly size: number }
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const isGrown = (vm: Vm) => vm.disks.some(({ id, size }) => id === disk.id && size >= disk.size)
    const call = offering.one.vm.diskResize(vmId, disk.id, disk.size).pipe(
      Effect.as(Option.none<SiteError>()),
      // Grown, or growing, by an attempt whose answer was lost: then it is not smaller any more.
      Effect.catchTag("ActionRefused", (error) => Effect.succeedSome<SiteError>(error))
    )
    let refused = yield* call
    let rested = yield* atRest(offering, vmId)
    // Or moved, saved or taken off its host by hand just then.
    if (Option.isSome(refused) && Option.exists(rested, (vm) => isOff(vm.state) && !isGrown(vm))) {
      refused = yield* call
      rested = yield* atRest(offering, vmId)
    }
    if (Option.exists(rested, isGrown)) return
    if (Option.exists(rested, ({ state }) => state === "Done")) return yield* vanished
    return yield* new OrderRefused({
      customerMessage: Option.isNone(rested)
        ? busy
        : "The disk could not be grown, so the machine was left as it was: try again later, or ask the provider.",
      detail: Option.match(refused, {
        onSome: (error) => error.message,
        // What its driver has said of it (OpenNebula 7.4 `TransferManager::_transfer`): that its datastore is full, say.
        onNone: () =>
          `VM ${vmId}, disk ${disk.id}: still smaller than ${disk.size} MB${Option.match(rested, { onNone: () => "", onSome: (vm) => `; it is ${statusOf(vm)}` })}`
      })
    })
  }).pipe(Effect.catchTags({ NoSuchObject: () => vanished, OwnerMissing: ownerless }))
