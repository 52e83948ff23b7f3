/**
 * What was set, and had no answer in time, may still be carried out, over what was set after it. Nothing else is said of the same before that cannot come any
 * more; what says the same again does not wait.
 */
import { Effect } from "effect"
import { steadyMillis } from "../../core/lean/elapsed.js"
import type { WaldurError } from "../errors.js"
import { mayComeWithin, retrying } from "../http/retry.js"

const tries = 3

interface Unheard {
  readonly said: string
  /** `steadyMillis`. */
  readonly until: number
}

/** Around a call that sets something of `what`. Remembered by this process alone. */
export type Setting = (
  what: string,
  said: unknown
) => <A>(sent: Effect.Effect<A, WaldurError>) => Effect.Effect<A, WaldurError>

export const makeSetting = (): Setting => {
  const unheard = new Map<string, Unheard>()
  const forget = (now: number): void => {
    for (const [what, { until }] of unheard) if (until <= now) unheard.delete(what)
  }
  return (what, value) => (sent) =>
    Effect.gen(function* () {
      const earlier = unheard.get(what)
      if (earlier !== undefined && earlier.said !== JSON.stringify(value)) {
        const left = earlier.until - (yield* steadyMillis)
        if (left > 0) {
          yield* Effect.logInfo("Waits until what Waldur did not answer in time cannot overwrite what is told now")
          yield* Effect.sleep(left)
        }
      }
      const note = (error: WaldurError) =>
        Effect.map(steadyMillis, (now) => {
          forget(now)
          const millis = mayComeWithin(error)
          if (millis > 0) unheard.set(what, { said: JSON.stringify(value), until: now + millis })
        })
      return yield* retrying(tries, () => Effect.tapError(sent, note))
    })
}
