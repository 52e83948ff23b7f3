/** Work that mostly goes well, tried again where it does not. */
import { Effect, type Schedule } from "effect"

/**
 * `Effect.retry` by a schedule, which is set up when the work has failed for the first time: some fifty steps of a fiber that `Effect.retry` takes before
 * its first try.
 */
export const retried =
  <Out, E, R2>(schedule: Schedule.Schedule<Out, E, R2>) =>
  <A, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | R2> =>
    Effect.catchAll(work, (error) => {
      let next: Effect.Effect<A, E, R> = Effect.fail(error)
      return Effect.retry(
        Effect.suspend(() => {
          const now = next
          next = work
          return now
        }),
        schedule
      )
    })
