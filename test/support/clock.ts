/**
 * Time-outs over real connections, on a clock of the test's own: the time passes when the request is there, however slow the machine. And what is
 * to happen at another time than now.
 */
import { type Duration, Effect, Queue, type Scope, TestClock } from "effect"
import { withTimeOfDay } from "../../src/core/index.js"

/** The longest pause between two tries of a call. */
const pause = "2 seconds"

/** In the background: lets each request that arrives run into its time-out, and then the pause before the next try pass. */
export const passTimeOuts = (
  arrived: Queue.Dequeue<void>,
  timeout: Duration.DurationInput
): Effect.Effect<void, never, Scope.Scope> =>
  Queue.take(arrived).pipe(
    Effect.zipRight(TestClock.adjust(timeout)),
    Effect.zipRight(TestClock.adjust(pause)),
    Effect.forever,
    Effect.forkScoped,
    Effect.asVoid
  )

/** As if it were `ms` later; earlier, where that is negative. */
export const later =
  (ms: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.clockWith((clock) =>
      Effect.withClock(
        effect,
        withTimeOfDay(clock, () => clock.unsafeCurrentTimeMillis() + ms)
      )
    )
