/**
 * The order source: looks into the marketplace's queue, and hands what is there to the actors.
 *
 * Waldur is the queue. The journal adds what it alone remembers: orders that were begun here and that the list does not show any more,
 * because somebody ended them or because they completed by themselves; their actors find out and finish.
 */
import { Clock, Duration, Effect, Option, Queue, Random } from "effect"
import { OrderId, ResourceId, steadyMillis } from "../../core/index.js"
import type { Work } from "../actors/dispatch.js"
import { Dispatch } from "../actors/dispatch.js"
import { Journal } from "../journal/journal.js"
import { countedRound } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import { Standings } from "../offerings/standing.js"

/** How often to look. */
export interface Pace {
  /** Between two looks, jittered by a fifth either way. */
  readonly interval: Duration.Duration
  /** The same while events tell of new orders: a safety net. */
  readonly slow: Duration.Duration
  /** Do events tell of new orders now? */
  readonly told: Effect.Effect<boolean>
  /** Offer something to it, and there is a look at once. */
  readonly wakes: Queue.Queue<void>
}

/** Looks at once when a resource's next order can go, whatever the pace. Never ends, never fails. */
export const watchOrders = (offering: Offering, { interval, slow, told, wakes }: Pace) =>
  Effect.gen(function* () {
    yield* (yield* Dispatch).attended(offering.id)
    const jittered = Effect.flatMap(Random.nextRange(0.8, 1.2), (factor) =>
      Effect.sleep(Duration.times(interval, factor))
    )
    const lookNow = Effect.zipRight(look(offering, Queue.offer(wakes, undefined)), Clock.currentTimeMillis)
    let looked = yield* lookNow
    /** Asked at each interval, so that it is noticed within one when events have ceased. */
    const isDue = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      return !(yield* told) || now - looked >= Duration.toMillis(slow)
    })
    return yield* Effect.raceFirst(Effect.zipRight(jittered, isDue), Effect.as(Queue.take(wakes), true)).pipe(
      Effect.flatMap((due) => Effect.when(lookNow, () => due)),
      Effect.tap(Option.match({ onNone: () => Effect.void, onSome: (at) => Effect.sync(() => (looked = at)) })),
      Effect.forever
    )
  })

const look = (offering: Offering, again: Effect.Effect<unknown>) =>
  Effect.gen(function* () {
    const dispatch = yield* Dispatch
    const since = yield* steadyMillis
    const { items } = yield* offering.waldur.queue(offering.id)
    const listed = items.flatMap(
      (order): ReadonlyArray<Work> =>
        Option.match(order.resourceUuid, {
          onNone: () => [],
          onSome: (resource) => [
            {
              offering: offering.id,
              order: OrderId.make(order.uuid),
              resource: ResourceId.make(resource),
              project: Option.getOrElse(order.projectUuid, () => ""),
              begun: order.state === "executing"
            }
          ]
        })
    )
    const known = new Set(listed.map((work) => work.order))
    yield* offering.early.listed(
      listed.filter((work) => work.begun).map((work) => work.order),
      since
    )
    const begun = (yield* (yield* Journal).openOrders)
      .filter((open) => open.offering === offering.id && !known.has(open.order))
      .map((open): Work => ({ offering: offering.id, order: open.order, resource: open.resource, begun: true }))
    yield* dispatch.send([...begun, ...listed], () => Effect.asVoid(again))
    yield* dispatch.seen(offering.id, { listed: known, open: new Set(begun.map((work) => work.order)) })
    yield* (yield* Standings).passed(offering.id, "orders")
  }).pipe(
    countedRound(offering.id, "orders"),
    Effect.catchAll((error) =>
      Effect.zipRight(
        offering.health.report(error),
        Effect.logWarning(`Cannot look for orders: ${error.message}`).pipe(
          Effect.annotateLogs({ offering: offering.name })
        )
      )
    )
  )
