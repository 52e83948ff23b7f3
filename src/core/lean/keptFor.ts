/**
 * What was read is good for a while, by the clock that nobody sets. `Effect.cachedWithTTL` goes by the time of day: set back by an hour, it gives what it has for
 * an hour more.
 */
import { Duration, Effect } from "effect"
import { steadyMillis } from "./elapsed.js"
import { shared } from "./shared.js"

/** A failure is not kept: it may be over when somebody asks again. */
export const keptFor = <A, E>(longest: Duration.DurationInput, read: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let last: { readonly value: A; readonly at: number } | undefined
  const readAnew = Effect.flatMap(steadyMillis, (at) =>
    Effect.tap(read, (value) =>
      Effect.sync(() => {
        last = { value, at }
      })
    )
  )
  const kept = (otherwise: Effect.Effect<A, E>) =>
    Effect.flatMap(steadyMillis, (now) =>
      last !== undefined && now - last.at < Duration.toMillis(longest) ? Effect.succeed(last.value) : otherwise
    )
  // Those who asked while it was read are answered by that.
  return kept(shared(kept(readAnew)))
}
