/**
 * The order source: looks into the marketplace's queue, and hands what is there to the actors.
 *
 * Waldur is the queue. The journal adds what it alone remembers: orders that were begun here and that the list does not show any more,
 * because somebody ended them or because they completed by themselves; their actors find out and finish.
 *
 * A queue of one page is read at each look. Of a longer one, most of which waits for machines, only what has changed is asked for, and all of it
 * every so often (`pace.ts`, docs/decisions/0066-what-waits-is-read-rarely.md).
 */
import { Duration, Effect, Option, Random } from "effect"
import { OrderId, ResourceId, steadyMillis, unlessTold } from "../../core/index.js"
import type { QueuedOrder } from "../../waldur/index.js"
import { Dispatch, type Done, type Work } from "../actors/dispatch.js"
import { JournalHealth } from "../journal/health.js"
import { Journal } from "../journal/journal.js"
import { countedRound } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import { Standings } from "../offerings/standing.js"
import type { Nexts } from "./nexts.js"
import { makeQueuePace, type QueueLook } from "./pace.js"

/** How often to look. */
export interface Pace {
  /** Between two looks at a queue at rest, jittered by a fifth either way. */
  readonly interval: Duration.Duration
  /** The same while events tell of new orders: a safety net. */
  readonly slow: Duration.Duration
  /** Do events tell of new orders now? */
  readonly told: Effect.Effect<boolean>
  /** What is looked for at once. */
  readonly nexts: Nexts
}

/** Looks at once when a resource's next order can go, whatever the pace. Never ends, never fails. `done`: see `Dispatch`. */
export const watchOrders = (offering: Offering, { interval, nexts, slow, told }: Pace, done: Done) =>
  Effect.gen(function* () {
    yield* (yield* Dispatch).attended(offering.id, done)
    const pace = makeQueuePace({ interval: Duration.toMillis(interval), slow: Duration.toMillis(slow) })
    const jittered = Effect.flatMap(Random.nextRange(0.8, 1.2), (factor) =>
      Effect.flatMap(steadyMillis, (now) => Effect.sleep(Duration.millis(pace.rest(now) * factor)))
    )
    const lookAt = (what: QueueLook) =>
      Effect.gen(function* () {
        // What is found is sent to actors, which could do nothing.
        yield* (yield* JournalHealth).passed
        const began = yield* steadyMillis
        const items = yield* look(offering, what, nexts.add)
        if (Option.isSome(items)) pace.looked(what, items.value, began, yield* steadyMillis)
        // At the next look, if not before.
        else if (what._tag === "Resource") yield* nexts.add(what.resource)
        else if (pace.refused(what)) yield* nexts.addWhole
      })
    const pass = Effect.gen(function* () {
      const { resources, whole } = yield* nexts.take
      const why = whole ? "woken" : resources.length > 0 ? "nudged" : "tick"
      const looks = pace.next({ why, resources, now: yield* steadyMillis, told: yield* told })
      yield* Effect.forEach(looks, lookAt, { discard: true })
    })
    const untilNext = unlessTold<void, never, never, void, never>(jittered, (tell) =>
      nexts.hear(() => tell(Effect.void))
    )
    yield* lookAt({ _tag: "Whole" })
    return yield* Effect.forever(Effect.zipRight(untilNext, pass))
  })

const partOf = (what: QueueLook) => {
  switch (what._tag) {
    case "Whole":
      return {}
    case "Changed":
      return { changedSince: what.since }
    case "Pending":
      return { pending: true }
    case "Resource":
      return { resource: what.resource }
  }
}

/** What was listed; none: it could not be. */
const look = (offering: Offering, what: QueueLook, next: (resource: ResourceId) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const dispatch = yield* Dispatch
    const since = yield* steadyMillis
    const { items } = yield* offering.waldur.queue(offering.id, partOf(what))
    // Whoever has lost its role is shown an empty queue, and no error (source: waldur-mastermind, marketplace/views.py, `OrderViewSet.get_queryset`). So
    // once a minute it is looked whether the offering is shown.
    if (what._tag === "Whole" && items.length === 0) yield* offering.pluginOptions
    const listed = items.filter(isOpen).flatMap(
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
    if (what._tag === "Whole") {
      yield* offering.early.listed(
        listed.filter((work) => work.begun).map((work) => work.order),
        since
      )
    }
    const known = new Set(listed.map((work) => work.order))
    const begun = (yield* begunHere(offering, what)).filter(({ order }) => !known.has(order))
    yield* dispatch.send([...begun, ...listed], next)
    if (what._tag === "Whole") {
      yield* dispatch.seen(offering.id, { listed: known, open: new Set(begun.map((work) => work.order)) })
    } else {
      yield* dispatch.ended(
        offering.id,
        new Set(items.filter((order) => !isOpen(order)).map(({ uuid }) => OrderId.make(uuid)))
      )
    }
    if (what._tag !== "Resource") yield* (yield* Standings).passed(offering.id, "orders")
    return Option.some(items)
  }).pipe(
    countedRound(offering.id, "orders"),
    Effect.catchAll((error) =>
      error._tag === "WaldurInvalid" && what._tag === "Changed"
        ? Effect.succeedNone
        : Effect.zipRight(
            error._tag === "JournalUnavailable" ? Effect.void : offering.health.report(error),
            Effect.logWarning(`Cannot look for orders: ${error.message}`).pipe(
              Effect.annotateLogs({ offering: offering.name })
            )
          ).pipe(Effect.as(Option.none<ReadonlyArray<QueuedOrder>>()))
    )
  )

const isOpen = ({ state }: QueuedOrder): boolean => state === "pending-provider" || state === "executing"

/** What the journal has open, as far as the look is about it. */
const begunHere = (offering: Offering, what: QueueLook) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    if (what._tag !== "Whole" && what._tag !== "Resource") return []
    const open = yield* what._tag === "Whole" ? journal.openOrders : journal.openOrdersOf(what.resource)
    return open
      .filter((one) => one.offering === offering.id)
      .map(({ order, resource }): Work => ({ offering: offering.id, order, resource, begun: true }))
  })
