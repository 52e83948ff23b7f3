/**
 * The order source: looks into the marketplace's queue, and hands what is there to the actors.
 *
 * Waldur is the queue. The journal adds what it alone remembers: orders that were begun here and that the list does not show any more,
 * because somebody ended them or because they completed by themselves; their actors find out and finish.
 */
import { Duration, Effect, Option, Queue, Random } from "effect"
import { OrderId, ResourceId } from "../../core/index.js"
import type { Work } from "../actors/dispatch.js"
import { Dispatch } from "../actors/dispatch.js"
import { Journal } from "../journal/journal.js"
import type { Offering } from "../offerings/offering.js"

/** Looks every `interval` (jittered by a fifth either way) and at once when a resource's next order can go. Never ends, never fails. */
export const watchOrders = (offering: Offering, interval: Duration.DurationInput) =>
  Effect.gen(function* () {
    const wake = yield* Queue.sliding<void>(1)
    const jittered = Effect.flatMap(Random.nextRange(0.8, 1.2), (factor) =>
      Effect.sleep(Duration.times(interval, factor))
    )
    yield* look(offering, Queue.offer(wake, undefined)).pipe(
      Effect.zipRight(Effect.raceFirst(jittered, Queue.take(wake))),
      Effect.forever
    )
  })

const look = (offering: Offering, again: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const dispatch = yield* Dispatch
    const { items } = yield* offering.waldur.orders({
      offering: offering.id,
      states: ["pending-provider", "executing"]
    })
    const listed = items.flatMap(
      (order): ReadonlyArray<Work> =>
        Option.match(order.resourceUuid, {
          onNone: () => [],
          onSome: (resource) => [
            { offering: offering.id, order: OrderId.make(order.uuid), resource: ResourceId.make(resource) }
          ]
        })
    )
    const known = new Set(listed.map((work) => work.order))
    const begun = (yield* (yield* Journal).openOrders)
      .filter((open) => open.offering === offering.id && !known.has(open.order))
      .map((open): Work => ({ offering: offering.id, order: open.order, resource: open.resource }))
    yield* dispatch.send([...begun, ...listed], Effect.asVoid(again))
  }).pipe(
    Effect.catchAll((error) =>
      Effect.zipRight(
        offering.health.report(error),
        Effect.logWarning(`Cannot look for orders: ${error.message}`).pipe(
          Effect.annotateLogs({ offering: offering.name })
        )
      )
    )
  )
