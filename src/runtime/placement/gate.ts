/** The gate of a lease: what is changed under it is changed by nobody who lost it (`core/calls/gate.ts`). */
import { type Clock, Duration, Effect, FiberRef, Schedule } from "effect"
import { changeGate, LeaseLost, momentBy, passedBy, retried, sendingGate, unlessTold } from "../../core/index.js"
import type { Journal } from "../journal/journal.js"
import type { Lease } from "../journal/lease.js"
import type { WordHeard } from "./stopping.js"

/** A lease that was confirmed so long ago is looked at again before the next call, in ms. A process that was paused, or its machine suspended, is always later. */
const lateAfter = 500
/**
 * So long a database may take to say that the lease holds, in ms. Whoever has taken the resource meanwhile looks once more, 3 s later, for what was
 * on its way then (`lookFor` in `core/saga/perform.ts`): the call that follows has the last of them for itself.
 */
const answeredWithin = 2_000
/** How often a process that waits for the answer notes that it is awake, in ms. */
const beat = 100
const neverGiven: WordHeard = { hear: () => () => undefined }
/** While the database is away nothing passes. */
const askAgain = Schedule.exponential("100 millis", 2).pipe(Schedule.union(Schedule.spaced("1 second")))

/**
 * Runs it, and says whether it took no longer than a slow database may, and this process was awake all the while: one that was paused misses a beat.
 */
const attended = <A, E, R>(clock: Clock.Clock, asking: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const began = momentBy(clock)
    let last = began
    let isMissed = false
    const note = Effect.sync(() => {
      if (passedBy(clock, last) > lateAfter) isMissed = true
      last = momentBy(clock)
    })
    // Also where whoever asks is not to be interrupted.
    const beats = Effect.interruptible(Effect.forever(Effect.delay(note, Duration.millis(beat))))
    const answer = yield* Effect.raceFirst(asking, beats)
    // What has come in is heard of before the next beat.
    yield* note
    return { answer, isPrompt: !isMissed && passedBy(clock, began) <= answeredWithin }
  })

/**
 * Runs the work with the lease's gate before its calls. Fails with `LeaseLost`, and ends the work, when a call would come too late.
 *
 * `word`: of this process's end, which ends the work as well. `several`: other processes may take the resource over at any time.
 */
export const underLease = <A, E, R>(
  journal: Pick<typeof Journal.Service, "holds">,
  lease: Lease,
  work: Effect.Effect<A, E, R>,
  word: WordHeard = neverGiven,
  several = false
): Effect.Effect<A, E | LeaseLost, R> =>
  Effect.flatMap(Effect.clock, (clock) => {
    let lose = (_lost: LeaseLost): void => undefined
    // Fresh, or asked until it is: the process may have been paused while it asked. A database that is slow is none of that.
    const gate = (whenLost: Effect.Effect<never>): Effect.Effect<void> =>
      Effect.suspend(() =>
        passedBy(clock, lease.confirmed.at) <= lateAfter
          ? Effect.void
          : Effect.flatMap(retried(askAgain)(attended(clock, journal.holds(lease))), ({ answer, isPrompt }) =>
              answer
                ? isPrompt
                  ? Effect.void
                  : gate(whenLost)
                : Effect.zipRight(
                    Effect.sync(() => lose(new LeaseLost({ resource: lease.resource, epoch: lease.epoch }))),
                    whenLost
                  )
            ).pipe(Effect.orDie)
      )
    return unlessTold(
      // Its fiber is the work's own, and ends with it.
      FiberRef.set(changeGate, gate(Effect.interruptible(Effect.never))).pipe(
        // A call that is about to be written is seen to its end, unless it ends by itself.
        Effect.zipRight(several ? FiberRef.set(sendingGate, gate(Effect.interrupt)) : Effect.void),
        Effect.zipRight(work)
      ),
      (tell: (instead: Effect.Effect<never, LeaseLost>) => void) => {
        lose = (lost) => tell(Effect.fail(lost))
        return word.hear(() => tell(Effect.interrupt))
      }
    )
  })
