/**
 * The journal in SQL: leases, entries and leftovers.
 *
 * Each write is one statement, and each write about a resource carries the epoch of its writer's lease: the statement itself inserts
 * only while that lease is the newest. A process that was paused and wakes up late therefore writes nothing, and calls nothing,
 * because what is not written down is not called.
 */
import { SqlClient, type Statement } from "@effect/sql"
import { Clock, Context, Effect, Layer, Option, PubSub } from "effect"
import {
  type JournalEntry,
  JournalUnavailable,
  type Leftover,
  moment,
  type OrderId,
  type OrderJournal,
  type ResourceId,
  wholeOrder
} from "../../core/index.js"
import { Activities } from "../activity.js"
import { orderAsAWhole, said } from "../database/dialect.js"
import { asking } from "../database/sql.js"
import { Metrics } from "../metrics/index.js"
import { entriesUnder, turnsIn } from "./entries.js"
import { forgottenLeases, type Lease, leaseHolds } from "./lease.js"

/** An order that the journal knows and that has not ended. */
export interface OpenOrder {
  readonly order: OrderId
  readonly resource: ResourceId
  readonly offering: string
}

export class Journal extends Context.Tag("site-actors/runtime/Journal")<
  Journal,
  {
    /** Takes the resource over: every earlier lease of it ends now. */
    readonly lease: (resource: ResourceId, owner: string) => Effect.Effect<Lease, JournalUnavailable>
    /** Does nobody have a newer lease? */
    readonly holds: (lease: Lease) => Effect.Effect<boolean, JournalUnavailable>
    /** The journal of one order under a lease. Reads what is there once; after that it lives in memory and only writes. */
    readonly order: (order: OrderId, lease: Lease) => Effect.Effect<OrderJournal, JournalUnavailable>
    /** Every entry of an order, oldest first, earlier attempts at it included. For showing it. */
    readonly story: (order: OrderId) => Effect.Effect<ReadonlyArray<JournalEntry>, JournalUnavailable>
    /** Orders that were accepted and have neither ended as done nor as erred. */
    readonly openOrders: Effect.Effect<ReadonlyArray<OpenOrder>, JournalUnavailable>
    /** Those of one resource, the one that was accepted first first. */
    readonly openOrdersOf: (resource: ResourceId) => Effect.Effect<ReadonlyArray<OpenOrder>, JournalUnavailable>
    /** Did this journal ever act for the resource? */
    readonly knows: (resource: ResourceId) => Effect.Effect<boolean, JournalUnavailable>
    /** Is the last that it knows of the resource that it was ended, or that its creation failed? */
    readonly hasEnded: (resource: ResourceId) => Effect.Effect<boolean, JournalUnavailable>
    /** Creates that erred, and of which one of these events was written, each with what was written down when it was accepted. */
    readonly erredCreates: (
      events: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyArray<{ readonly order: OrderId; readonly accepted: unknown }>, JournalUnavailable>
    /** What was written down when the last of the resource's orders was accepted that is done. */
    readonly lastDone: (resource: ResourceId) => Effect.Effect<Option.Option<unknown>, JournalUnavailable>
    /** When this journal was first started as a backup that was put back (ms since 1970), if it was: the last time. */
    readonly startedFromBackup: Effect.Effect<Option.Option<number>, JournalUnavailable>
    /** When it was made, empty (ms since 1970): of what was begun before, it cannot know. */
    readonly made: Effect.Effect<number, JournalUnavailable>
    /** Of what ended before that (ms since 1970), and of nothing else, it may know no more. None: it has forgotten nothing. */
    readonly forgotUntil: Effect.Effect<Option.Option<number>, JournalUnavailable>
    readonly recordLeftovers: (leftovers: ReadonlyArray<Leftover>) => Effect.Effect<void, JournalUnavailable>
    readonly leftovers: Effect.Effect<ReadonlyArray<Leftover>, JournalUnavailable>
    /** What is left of an order now: what the list had of it beside that is gone. */
    readonly settleLeftovers: (order: OrderId, left: ReadonlyArray<Leftover>) => Effect.Effect<void, JournalUnavailable>
    /** Another order of the resource that was accepted after this one. */
    readonly overtakenBy: (
      order: OrderId,
      resource: ResourceId
    ) => Effect.Effect<Option.Option<OrderId>, JournalUnavailable>
  }
>() {}

/** Events of the whole order after which nothing more is to be done for it. */
const ended = ["done", "erred"]

export interface Row {
  readonly step: string
  readonly event: string
  readonly at: number
  readonly data: string | null
}
export const entryOf = (row: Row): JournalEntry => ({
  step: row.step,
  event: row.event,
  at: row.at,
  ...(row.data === null ? {} : { data: JSON.parse(row.data) })
})

/** What counts for carrying the order out: everything since it was last accepted. An order that was taken up again starts afresh. */
export const sinceAccepted = (entries: ReadonlyArray<JournalEntry>): ReadonlyArray<JournalEntry> => {
  const accepted = entries.findLastIndex((entry) => entry.step === wholeOrder && entry.event === "accepted")
  return accepted === -1 ? entries : entries.slice(accepted)
}

interface OpenRow {
  readonly order_id: OrderId
  readonly resource_id: ResourceId
  readonly offering: string
}

/**
 * Asked at each look. What is known of orders in short, which the statement that writes an entry keeps, says which entries to read: by the journal
 * alone they would be all that there are, 44 ms after 10,000 orders that have ended. `which`: of `known_order`.
 */
export const acceptedAndOpen = (sql: SqlClient.SqlClient, which: Statement.Fragment): Statement.Statement<OpenRow> =>
  sql<OpenRow>`
    SELECT order_id, resource_id, ${said(sql, "data", "offering")} AS offering
    FROM journal AS accepted
    WHERE order_id IN (SELECT order_id FROM known_order WHERE ended IS NULL AND ${which})
      AND step = ${orderAsAWhole(sql)} AND event = 'accepted'
      AND NOT EXISTS (
        SELECT 1 FROM journal AS later
        WHERE later.order_id = accepted.order_id AND later.step = ${orderAsAWhole(sql)}
          AND later.id > accepted.id AND later.event IN ${sql.in([...ended, "accepted"])}
      )
    ORDER BY accepted.id`

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const unavailable = asking(sql)
  const hub = yield* Effect.serviceOption(Activities)
  const metrics = yield* Metrics

  const story = (order: OrderId) =>
    unavailable(sql<Row>`SELECT step, event, at, data FROM journal WHERE order_id = ${order} ORDER BY id`).pipe(
      Effect.map((rows) => rows.map(entryOf))
    )

  const holds = (lease: Lease) =>
    Effect.gen(function* () {
      const asked = yield* moment
      const rows = yield* unavailable(sql`SELECT 1 WHERE ${leaseHolds(sql, lease)}`)
      if (rows.length > 0) lease.confirmed.at = asked
      return rows.length > 0
    })

  const order = (id: OrderId, lease: Lease): Effect.Effect<OrderJournal, JournalUnavailable> =>
    Effect.gen(function* () {
      const before = yield* story(id)
      const written = yield* entriesUnder(sql, {
        table: "journal",
        id,
        lease,
        before: sinceAccepted(before),
        past: before.slice(0, before.length - sinceAccepted(before).length),
        turns: turnsIn(before),
        tell: ({ event, step }) =>
          Option.isSome(hub)
            ? PubSub.publish(hub.value, { _tag: "Step", order: id, resource: lease.resource, step, event })
            : Effect.void,
        measure: metrics.journalWritten
      })
      return { order: id, resource: lease.resource, ...written }
    })

  const recordLeftovers = (leftovers: ReadonlyArray<Leftover>): Effect.Effect<void, JournalUnavailable> =>
    Effect.forEach(
      leftovers,
      ({ order, resource, step, reason }) =>
        Effect.flatMap(Clock.currentTimeMillis, (at) =>
          unavailable(sql`
            INSERT INTO leftover (order_id, resource_id, step, reason, at)
            VALUES (${order}, ${resource}, ${step}, ${reason}, ${at})
            ON CONFLICT (order_id, step) DO UPDATE SET reason = excluded.reason`)
        ),
      { discard: true }
    )

  const openOrders = (which: Statement.Fragment): Effect.Effect<ReadonlyArray<OpenOrder>, JournalUnavailable> =>
    Effect.map(unavailable(acceptedAndOpen(sql, which)), (rows) =>
      rows.map((row) => ({ order: row.order_id, resource: row.resource_id, offering: row.offering }))
    )

  return Journal.of({
    lease: (resource, owner) =>
      Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        const asked = yield* moment
        const [row] = yield* unavailable(sql<{ readonly epoch: number }>`
          INSERT INTO lease (resource_id, epoch, owner, at)
          VALUES (${resource}, 1 + coalesce((SELECT epoch FROM lease WHERE resource_id = ${forgottenLeases}), 0), ${owner}, ${at})
          ON CONFLICT (resource_id) DO UPDATE SET epoch = lease.epoch + 1, owner = excluded.owner, at = excluded.at
          RETURNING epoch`)
        if (row === undefined) return yield* new JournalUnavailable({ reason: "taking a lease returned no row" })
        return { resource, epoch: row.epoch, confirmed: { at: asked } }
      }),
    holds,
    order,
    story,
    openOrders: openOrders(sql`1 = 1`),
    openOrdersOf: (resource) => openOrders(sql`resource_id = ${resource}`),
    knows: (resource) =>
      Effect.map(unavailable(sql`SELECT 1 FROM lease WHERE resource_id = ${resource}`), (rows) => rows.length > 0),
    hasEnded: (resource) =>
      Effect.map(
        unavailable(sql<{ readonly outcome: string }>`
          SELECT type || ' ' || state AS outcome FROM known_order
          WHERE resource_id = ${resource} AND ended IS NOT NULL ORDER BY seq DESC LIMIT 1`),
        ([last]) => last?.outcome === "Terminate done" || last?.outcome === "Create erred"
      ),
    erredCreates: (events) =>
      Effect.map(
        unavailable(sql<Row & { readonly order_id: OrderId }>`
          SELECT accepted.order_id, accepted.step, accepted.event, accepted.at, accepted.data
          FROM known_order JOIN journal AS accepted ON accepted.id = known_order.seq
          WHERE known_order.state = 'erred' AND known_order.type = 'Create' AND EXISTS (
            SELECT 1 FROM journal WHERE journal.order_id = known_order.order_id
              AND journal.step = ${orderAsAWhole(sql)} AND journal.event IN ${sql.in(events)})
          ORDER BY known_order.seq`),
        (rows) => rows.map((row) => ({ order: row.order_id, accepted: entryOf(row).data }))
      ),
    lastDone: (resource) =>
      Effect.map(
        unavailable(sql<Row>`
          SELECT step, event, at, data FROM journal WHERE id = (
            SELECT max(seq) FROM known_order WHERE resource_id = ${resource} AND state = 'done')`),
        ([row]) => Option.map(Option.fromNullable(row), (accepted) => entryOf(accepted).data)
      ),
    startedFromBackup: Effect.map(
      unavailable(sql<{ readonly started: number | null }>`SELECT max(started) AS started FROM backup`),
      ([row]) => Option.fromNullable(row?.started)
    ),
    made: Effect.map(
      unavailable(sql<{ readonly at: number | null }>`SELECT min(at) AS at FROM schema_version`),
      ([row]) => row?.at ?? 0
    ),
    forgotUntil: Effect.map(
      unavailable(sql<{ readonly at: number }>`SELECT at FROM lease WHERE resource_id = ${forgottenLeases}`),
      ([row]) => Option.map(Option.fromNullable(row), ({ at }) => at)
    ),
    recordLeftovers,
    settleLeftovers: (id, left) =>
      Effect.zipRight(
        unavailable(
          left.length === 0
            ? sql`DELETE FROM leftover WHERE order_id = ${id}`
            : sql`DELETE FROM leftover
                WHERE order_id = ${id} AND step NOT IN ${sql.in(left.map((leftover) => leftover.step))}`
        ),
        recordLeftovers(left)
      ),
    overtakenBy: (id, resource) =>
      Effect.map(
        unavailable(sql<{ readonly order_id: OrderId }>`
          SELECT order_id FROM journal
          WHERE resource_id = ${resource} AND order_id <> ${id} AND step = ${orderAsAWhole(sql)} AND event = 'accepted'
            AND id > (SELECT max(id) FROM journal
              WHERE order_id = ${id} AND step = ${orderAsAWhole(sql)} AND event = 'accepted')
          ORDER BY id LIMIT 1`),
        ([row]) => Option.map(Option.fromNullable(row), ({ order_id }) => order_id)
      ),
    leftovers: unavailable(
      sql<{
        readonly order_id: OrderId
        readonly resource_id: ResourceId
        readonly step: string
        readonly reason: string
      }>`SELECT order_id, resource_id, step, reason FROM leftover ORDER BY at`
    ).pipe(
      Effect.map((rows) =>
        rows.map((row) => ({ order: row.order_id, resource: row.resource_id, step: row.step, reason: row.reason }))
      )
    )
  })
})

export const layer: Layer.Layer<Journal, never, SqlClient.SqlClient> = Layer.effect(Journal, make)
