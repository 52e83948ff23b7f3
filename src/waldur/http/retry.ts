/** How often, and how long apart, something is tried again. Long outages are the runtime's: this only spares it the short ones. */
import { Duration, Effect, Option, Random } from "effect"
import { isTransient, retryAfterOf, type WaldurError } from "../errors.js"

/** The longest that a server may make one call wait; beyond it the caller's own backoff decides. */
const patience = Duration.seconds(10)

/** How long, in ms, what had no answer in time may still be carried out. */
export const mayComeWithin = (error: WaldurError): number =>
  error._tag === "WaldurTimedOut"
    ? 2 * error.milliseconds
    : error._tag === "WaldurServerError" && error.status === gatewayTimeout
      ? 30_000
      : 0
const gatewayTimeout = 504

/** How long to wait before try number `attempt + 1`: 200 ms, 400 ms, ... each 50 to 150 percent of that, or what the server asks for. */
const pauseAfter = (attempt: number, error: WaldurError): Effect.Effect<Duration.Duration> =>
  Option.match(retryAfterOf(error), {
    onSome: Effect.succeed,
    onNone: () => Effect.map(Random.nextRange(0.5, 1.5), (factor) => Duration.millis(200 * 2 ** (attempt - 1) * factor))
  })

/** Up to `tries` times, as long as the failure is transient (or what `passing` says). `attempt` counts from 1. */
export const retrying = <A, R>(
  tries: number,
  effect: (attempt: number) => Effect.Effect<A, WaldurError, R>,
  passing: (error: WaldurError) => boolean = isTransient
): Effect.Effect<A, WaldurError, R> => {
  const go = (attempt: number): Effect.Effect<A, WaldurError, R> =>
    Effect.catchIf(effect(attempt), passing, (error) =>
      attempt >= tries
        ? Effect.fail(error)
        : Effect.flatMap(pauseAfter(attempt, error), (pause) =>
            Duration.greaterThan(pause, patience)
              ? Effect.fail(error)
              : Effect.zipRight(
                  Effect.sleep(pause),
                  Effect.suspend(() => go(attempt + 1))
                )
          )
    )
  return go(1)
}
