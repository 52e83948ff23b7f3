/** Tries again, now and then and on request, to remove what undoing could not. Through the resources' actors, one order at a time each. */
import { Array, Effect } from "effect"
import type { JournalUnavailable, Leftover, OrderId } from "../../core/index.js"
import { Actors } from "../actors/actors.js"
import { Journal } from "../journal/journal.js"
import type { Undone } from "../orders/leftovers.js"
import { leftoverRound } from "../schedules.js"
import { acceptedOffering } from "./accepted.js"

export interface Tried {
  readonly order: OrderId
  readonly steps: number
  readonly undone: Undone
}

/** Of one order, or of all. An actor that is busy with another order for long is left for the next round. */
export const tryLeftovers = (only?: OrderId) =>
  Effect.gen(function* () {
    const actor = yield* Actors
    const all = yield* (yield* Journal).leftovers
    const wanted = only === undefined ? all : all.filter((leftover) => leftover.order === only)
    return yield* Effect.forEach(Object.values(Array.groupBy(wanted, (leftover) => leftover.order)), tryOne(actor), {
      concurrency: 8
    })
  })

const tryOne =
  (actor: typeof Actors.Service) =>
  ([first, ...more]: Array.NonEmptyReadonlyArray<Leftover>): Effect.Effect<Tried, JournalUnavailable, Journal> =>
    Effect.gen(function* () {
      const { order, resource } = first
      const offering = yield* acceptedOffering(order)
      const notNow: Undone = "not now"
      if (offering === undefined) return { order, steps: 1 + more.length, undone: notNow }
      const undone = yield* actor(resource)
        .undoLeftovers({ offering, order })
        .pipe(
          Effect.timeoutTo({ duration: "2 minutes", onSuccess: (made) => made, onTimeout: () => notNow }),
          Effect.catchAllCause((cause) => Effect.as(Effect.logWarning(`Leftovers of order ${order}`, cause), notNow))
        )
      return { order, steps: 1 + more.length, undone }
    })

/** For as long as the agent runs. */
export const leftoverRounds = tryLeftovers().pipe(
  Effect.catchAll((error) => Effect.logWarning(`Leftovers cannot be looked at: ${error.message}`)),
  Effect.schedule(leftoverRound),
  Effect.asVoid
)
