/**
 * Orders that an operator wants ended. Written down, so that a restart in between does not forget it; heard by the order's own actor, which
 * begins no further step and undoes what the order did (`orders/deadline.ts`).
 */
import { SqlClient } from "@effect/sql"
import { Clock, Context, Effect, Layer } from "effect"
import type { JournalUnavailable, OrderId } from "../../core/index.js"
import { unavailable } from "../database/sql.js"

export interface Cancellation {
  readonly order: OrderId
  readonly who: string
  /** The operator's own words; may be empty. */
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export class Cancellations extends Context.Tag("site-actors/runtime/Cancellations")<
  Cancellations,
  {
    /** `accepted`: when the order was last accepted, by the clock of the process that did it, which may be ahead of this one's. */
    readonly cancel: (
      order: OrderId,
      who: string,
      reason: string,
      accepted: number
    ) => Effect.Effect<void, JournalUnavailable>
    /** Hears what was said in another process meanwhile, and gives the orders that it is about. */
    readonly refresh: Effect.Effect<ReadonlyArray<OrderId>, JournalUnavailable>
    /** Is the order wanted ended? `accepted`: when it was last accepted; what was said before that was about an earlier round. */
    readonly of: (order: OrderId, accepted: number) => Effect.Effect<Cancellation | undefined>
    /** Calls it when it is, or at once. Gives what takes that back. */
    readonly wanted: (order: OrderId, accepted: number, told: (cancellation: Cancellation) => void) => () => void
  }
>() {
  static readonly layer: Layer.Layer<Cancellations, JournalUnavailable, SqlClient.SqlClient> = Layer.effect(
    Cancellations,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const written = unavailable(sql<Cancellation>`SELECT order_id AS "order", who, reason, at FROM cancellation`)
      const known = new Map<OrderId, Cancellation>((yield* written).map((row) => [row.order, row]))
      const listeners = new Map<OrderId, Set<(cancellation: Cancellation) => void>>()
      const find = (order: OrderId, accepted: number) => {
        const found = known.get(order)
        return found !== undefined && found.at >= accepted ? found : undefined
      }
      const hear = (cancellation: Cancellation) =>
        Effect.sync(() => {
          known.set(cancellation.order, cancellation)
          for (const told of [...(listeners.get(cancellation.order) ?? [])]) told(cancellation)
        })
      return {
        of: (order, accepted) => Effect.sync(() => find(order, accepted)),
        // All of them: they are few, and gone with the orders that the journal forgets.
        refresh: Effect.flatMap(written, (all) =>
          Effect.forEach(
            all.filter(({ at, order }) => known.get(order)?.at !== at),
            (cancellation) => Effect.as(hear(cancellation), cancellation.order)
          )
        ),
        cancel: (order, who, reason, accepted) =>
          Effect.gen(function* () {
            const at = Math.max(yield* Clock.currentTimeMillis, accepted)
            yield* unavailable(sql`INSERT INTO cancellation (order_id, who, reason, at) VALUES (${order}, ${who}, ${reason}, ${at})
              ON CONFLICT (order_id) DO UPDATE SET who = excluded.who, reason = excluded.reason, at = excluded.at`)
            yield* hear({ order, who, reason, at })
          }),
        wanted: (order, accepted, told) => {
          const already = find(order, accepted)
          if (already !== undefined) told(already)
          const all = listeners.get(order) ?? new Set()
          listeners.set(order, all.add(told))
          return () => {
            all.delete(told)
            if (all.size === 0 && listeners.get(order) === all) listeners.delete(order)
          }
        }
      }
    })
  )
}
