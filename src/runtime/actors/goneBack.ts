/** Orders that could not be handed to their actors go back to the queue: what is said of them. */
import { Cause, Effect } from "effect"
import type { OrderId } from "../../core/index.js"
import { backsRest } from "../schedules.js"

/** While the database or another process is away this happens to all that is open, again and again: one line a second says enough. */
export const tellTogether = (run: (effect: Effect.Effect<void>) => unknown) => {
  let goneBack = 0
  return (order: OrderId, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
    // Its actor's process has ended, or has lost it: whoever lost it says why.
    if (Cause.isInterruptedOnly(cause)) return Effect.logDebug(`Order ${order} goes back to the queue`, cause)
    return Effect.suspend(() => {
      goneBack += 1
      if (goneBack > 1) return Effect.void
      const tell = Effect.suspend(() => {
        const others = goneBack - 1
        goneBack = 0
        return Effect.logWarning(
          `Order ${order}${others === 0 ? " goes" : ` and ${others} more go`} back to the queue`,
          cause
        )
      })
      return Effect.sync(() => void run(Effect.delay(tell, backsRest)))
    })
  }
}
