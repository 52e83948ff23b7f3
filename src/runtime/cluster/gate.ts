/** The gate of a lease: what is changed under it is changed by nobody who lost it (`core/gate.ts`). */
import { Effect, FiberRef, Schedule } from "effect"
import { changeGate, LeaseLost, retried, steadyMillisBy, unlessTold } from "../../core/index.js"
import type { WordHeard } from "../actors/stopping.js"
import type { Journal } from "../journal/journal.js"
import type { Lease } from "../journal/lease.js"

/** A lease that was confirmed so long ago is looked at again before the next call, in ms. A process that was paused is always later. */
const lateAfter = 500
const neverGiven: WordHeard = { hear: () => () => undefined }
/** While the database is away nothing passes. */
const askAgain = Schedule.exponential("100 millis", 2).pipe(Schedule.union(Schedule.spaced("1 second")))

/**
 * Runs the work with the lease's gate before its calls. Fails with `LeaseLost`, and ends the work, when a call would come too late.
 *
 * `word`: of this process's end, which ends the work as well.
 */
export const underLease = <A, E, R>(
  journal: Pick<typeof Journal.Service, "holds">,
  lease: Lease,
  work: Effect.Effect<A, E, R>,
  word: WordHeard = neverGiven
): Effect.Effect<A, E | LeaseLost, R> =>
  Effect.flatMap(Effect.clock, (clock) => {
    let lose = (_lost: LeaseLost): void => undefined
    // Fresh, or asked until it is: the process may have been paused while it asked.
    const gate: Effect.Effect<void> = Effect.suspend(() =>
      steadyMillisBy(clock) - lease.confirmed.at <= lateAfter
        ? Effect.void
        : Effect.flatMap(retried(askAgain)(journal.holds(lease)), (holds) =>
            holds
              ? gate
              : Effect.zipRight(
                  Effect.sync(() => lose(new LeaseLost({ resource: lease.resource, epoch: lease.epoch }))),
                  Effect.interruptible(Effect.never)
                )
          ).pipe(Effect.orDie)
    )
    return unlessTold(
      // Its fiber is the work's own, and ends with it.
      Effect.zipRight(FiberRef.set(changeGate, gate), work),
      (tell: (instead: Effect.Effect<never, LeaseLost>) => void) => {
        lose = (lost) => tell(Effect.fail(lost))
        return word.hear(() => tell(Effect.interrupt))
      }
    )
  })
