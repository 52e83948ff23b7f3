/** Switches a VM off for an update, and on again: each to be repeated without harm, each for the way there and back. */
import { Effect, Option } from "effect"
import { isVmFailure, QuotaExceeded, type Vm, type VmState } from "../../opennebula/index.js"
import { OrderRefused, type SiteError } from "../../plugin/index.js"
import { isLocked, lockedRefusal } from "../locks.js"
import { queuedFor } from "../machines.js"
import { markStopped, unmarkStopped } from "../standing.js"
import { type Driven, drive, isResting, whenWithin, whereItIs } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { pausedParent } from "./parent.js"

/** A class of its own, as its identity does not last: an error that has passed through a span is another object. */
class Vanished extends OrderRefused {}
export const vanished = new Vanished({
  customerMessage: "The machine does not exist in the cloud any more, so it cannot be changed."
})

/** What OpenNebula is given for a change of state that it makes by itself, in seconds. */
export const patience = 300
/** A VM that falls back into its old state so often will not go. */
const tries = 3

/** No order brings a machine there: somebody has, for reasons of theirs, and left it so. */
const isLeft = (state: VmState): boolean => state === "Suspended" || state === "Stopped"
export const byOthers =
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
export const tryAgainIfFailed = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
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
export const unlessVanished = (undo: Effect.Effect<unknown, SiteError>): Effect.Effect<void, SiteError> =>
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
