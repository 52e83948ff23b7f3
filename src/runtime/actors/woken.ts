/** Parked orders that were woken in this process: whoever sends orders, here or in another one, is told. */
import { Array, type Context, Effect } from "effect"
import type { OfferingId, OrderId } from "../../core/index.js"
import type { ParkedOrder } from "../orders/wakes.js"
import { parkedRound } from "../schedules.js"
import type { Bells } from "./bells.js"

/** So many at once. */
const toldAtOnce = 500

/** Told until it is heard: whoever sends orders may be moving, too. */
export const untilHeard = (
  run: (effect: Effect.Effect<void>) => unknown,
  bells: Pick<Context.Tag.Service<typeof Bells>, "woken">
) => {
  const toTell = new Map<OfferingId, Map<OrderId, ParkedOrder>>()
  const tell = (offering: OfferingId): Effect.Effect<void> =>
    Effect.suspend(() => {
      const waiting = toTell.get(offering)
      if (waiting === undefined || waiting.size === 0) {
        toTell.delete(offering)
        return Effect.void
      }
      const told = Array.take([...waiting.values()], toldAtOnce)
      return bells.woken(offering, told).pipe(
        Effect.flatMap((heard) => {
          if (!heard) return Effect.sleep(parkedRound)
          // One that was parked and woken once more meanwhile is told once more.
          for (const what of told) if (waiting.get(what.order) === what) waiting.delete(what.order)
          return Effect.void
        }),
        Effect.zipRight(tell(offering))
      )
    })
  return (what: ParkedOrder): void => {
    const waiting = toTell.get(what.offering)
    if (waiting !== undefined) {
      waiting.set(what.order, what)
      return
    }
    toTell.set(what.offering, new Map([[what.order, what]]))
    run(tell(what.offering))
  }
}
