/**
 * A server that limits the rate of calls says for how long it wants to be left alone (429, `Retry-After`). Until then none like it is sent, by whomever: a
 * thousand orders that each try again by themselves are what it complains of.
 */
import { Duration, Effect, Option } from "effect"
import { steadyMillis } from "../../core/lean/elapsed.js"
import { retryAfterOf, type WaldurError, WaldurRateLimited } from "../errors.js"

/** ms. However long it asks for, one call a minute finds out whether that is over. */
const longest = 60_000
/** ms. Timers may be early. */
const early = 50

/** Of one user of one server, as limits are. By the call, as a limit may be about one. */
export const makeQuiet = () => {
  const until = new Map<string, number>()
  const asked = (call: string, error: WaldurError) =>
    Option.match(retryAfterOf(error), {
      onNone: () => Effect.void,
      onSome: (after) =>
        Effect.map(steadyMillis, (now) => {
          until.set(call, now + Math.min(Duration.toMillis(after), longest))
        })
    })
  return (call: string) =>
    <A, R>(sent: Effect.Effect<A, WaldurError, R>): Effect.Effect<A, WaldurError, R> =>
      Effect.flatMap(steadyMillis, (now): Effect.Effect<A, WaldurError, R> => {
        const left = (until.get(call) ?? Number.NEGATIVE_INFINITY) - now
        return left > early
          ? new WaldurRateLimited({ call, retryAfter: Option.some(Duration.millis(left)) })
          : Effect.tapError(sent, (error) => asked(call, error))
      })
}
