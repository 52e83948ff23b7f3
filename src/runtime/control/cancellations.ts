/**
 * Orders that an operator wants ended. Written down, so that a restart in between does not forget it; heard by the order's own actor, which
 * begins no further step and undoes what the order did (`orders/deadline.ts`).
 */
import { SqlClient } from "@effect/sql"
import { Clock, Context, Deferred, Effect, Layer } from "effect"
import type { JournalUnavailable, OrderId } from "../../core/index.js"
import { unavailable } from "../journal/sql.js"

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
    readonly cancel: (order: OrderId, who: string, reason: string) => Effect.Effect<void, JournalUnavailable>
    /** Hears what was said in another process meanwhile, and gives the orders that it is about. */
    readonly refresh: Effect.Effect<ReadonlyArray<OrderId>, JournalUnavailable>
    /** Is the order wanted ended? `accepted`: when it was last accepted; what was said before that was about an earlier round. */
    readonly of: (order: OrderId, accepted: number) => Effect.Effect<Cancellation | undefined>
    /** Completes when it is. */
    readonly wanted: (order: OrderId, accepted: number) => Effect.Effect<Cancellation>
  }
>() {
  static readonly layer: Layer.Layer<Cancellations, JournalUnavailable, SqlClient.SqlClient> = Layer.effect(
    Cancellations,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const written = unavailable(sql<Cancellation>`SELECT order_id AS "order", who, reason, at FROM cancellation`)
      const known = new Map<OrderId, Cancellation>((yield* written).map((row) => [row.order, row]))
      const bells = new Map<OrderId, Set<Deferred.Deferred<Cancellation>>>()
      const of = (order: OrderId, accepted: number) =>
        Effect.sync(() => {
          const found = known.get(order)
          return found !== undefined && found.at >= accepted ? found : undefined
        })
      const hear = (cancellation: Cancellation) =>
        Effect.suspend(() => {
          known.set(cancellation.order, cancellation)
          return Effect.forEach(
            [...(bells.get(cancellation.order) ?? [])],
            (bell) => Deferred.succeed(bell, cancellation),
            {
              discard: true
            }
          )
        })
      return {
        of,
        // All of them: they are few, and gone with the orders that the journal forgets.
        refresh: Effect.flatMap(written, (all) =>
          Effect.forEach(
            all.filter(({ at, order }) => known.get(order)?.at !== at),
            (cancellation) => Effect.as(hear(cancellation), cancellation.order)
          )
        ),
        cancel: (order, who, reason) =>
          Effect.gen(function* () {
            const at = yield* Clock.currentTimeMillis
            yield* unavailable(sql`INSERT INTO cancellation (order_id, who, reason, at) VALUES (${order}, ${who}, ${reason}, ${at})
              ON CONFLICT (order_id) DO UPDATE SET who = excluded.who, reason = excluded.reason, at = excluded.at`)
            yield* hear({ order, who, reason, at })
          }),
        wanted: (order, accepted) =>
          Effect.flatMap(of(order, accepted), (already) =>
            already === undefined ? awaited(bells, order) : Effect.succeed(already)
          )
      }
    })
  )
}

const awaited = (bells: Map<OrderId, Set<Deferred.Deferred<Cancellation>>>, order: OrderId) =>
  Effect.acquireUseRelease(
    Effect.tap(Deferred.make<Cancellation>(), (bell) =>
      Effect.sync(() => bells.set(order, new Set([...(bells.get(order) ?? []), bell])))
    ),
    Deferred.await,
    (bell) =>
      Effect.sync(() => {
        const all = bells.get(order)
        all?.delete(bell)
        if (all?.size === 0) bells.delete(order)
      })
  )
