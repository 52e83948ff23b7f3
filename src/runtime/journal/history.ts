/**
 * The journal as people read it: orders with their state and last word, beside what the agent said of itself. Only looks.
 *
 * Works on the database alone, so it gives the same answers while the agent runs and after it has stopped.
 */
import { SqlClient, SqlError } from "@effect/sql"
import { Chunk, Clock, Effect, Option, Schema, Stream } from "effect"
import {
  type JournalEntry,
  JournalUnavailable,
  type Leftover,
  OrderRequest,
  refusalIn,
  wholeOrder
} from "../../core/index.js"
import { isShared, orderAsAWhole } from "../database/dialect.js"
import { reasonOf, together, unavailable } from "../database/sql.js"
import { entryOf, type Row, sinceAccepted } from "./journal.js"
import { longSilence, wholeAgent } from "./pauses.js"

type Result<A> = Effect.Effect<A, JournalUnavailable, SqlClient.SqlClient>

export const orderStates = ["executing", "waits", "undoing", "quarantined", "done", "erred"] as const
/** `waits`: its last attempt broke off. `undoing`: it has failed, and what it did is being taken back. */
export type OrderState = (typeof orderStates)[number]

export interface OrderSummary {
  readonly order: string
  readonly resource: string
  /** The customer's label of the resource; empty if the order could not be understood. */
  readonly name: string
  readonly type: string
  readonly offering: string
  readonly state: OrderState
  /** When it was (last) accepted, in ms since 1970. */
  readonly since: number
  readonly lastAt: number
  /** The last step, or what went wrong: one line. */
  readonly last: string
}

const Accepted = Schema.Struct({ offering: Schema.String, request: Schema.optional(OrderRequest) })

/** What the entries of an order say in short. */
export const summaryOf = (order: string, resource: string, story: ReadonlyArray<JournalEntry>): OrderSummary => {
  const entries = sinceAccepted(story)
  const accepted = entries.find((entry) => entry.step === wholeOrder && entry.event === "accepted")
  const facts = Option.getOrUndefined(Schema.decodeUnknownOption(Accepted)(accepted?.data))
  const last = entries.at(-1)
  return {
    order,
    resource,
    name: facts?.request?.resource.name ?? "",
    type: facts?.request?._tag ?? "",
    offering: facts?.offering ?? "",
    state: stateOf(entries),
    since: accepted?.at ?? entries[0]?.at ?? 0,
    lastAt: last?.at ?? 0,
    last: lastWord(entries)
  }
}

const stateOf = (entries: ReadonlyArray<JournalEntry>): OrderState => {
  const whole = entries.findLast(
    (entry) =>
      entry.step === wholeOrder &&
      ["accepted", "failed", "done", "erred", "quarantined", "resumed"].includes(entry.event)
  )
  if (whole?.event === "done" || whole?.event === "erred" || whole?.event === "quarantined") return whole.event
  if (Option.isSome(refusalIn(entries))) return "undoing"
  return entries.at(-1)?.event === "interrupted" ? "waits" : "executing"
}

const lastWord = (entries: ReadonlyArray<JournalEntry>): string => {
  const refusal = refusalIn(entries)
  const quarantined = entries.findLast((entry) => entry.step === wholeOrder && entry.event === "quarantined")
  const state = stateOf(entries)
  if (state === "quarantined") return textOf(quarantined?.data)
  if (Option.isSome(refusal)) return refusal.value.customerMessage
  const last = entries.at(-1)
  if (last === undefined || state === "done") return ""
  const detail = last.event === "interrupted" ? `: ${textOf(last.data)}` : ""
  return last.step === wholeOrder ? last.event : `${last.step} ${last.event}${detail}`
}

/** What an entry holds, in one line. */
export const textOf = (data: unknown): string =>
  data === undefined || data === null ? "" : typeof data === "string" ? data : JSON.stringify(data)

/** Every order that has not ended, and the last `ended` that have; the newest first. */
export const orders = (ended: number): Result<ReadonlyArray<OrderSummary>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const known = yield* sql<{ readonly order_id: string; readonly resource_id: string; readonly event: string }>`
      SELECT order_id, resource_id, event FROM journal WHERE id IN (
        SELECT max(id) FROM journal
        WHERE step = ${orderAsAWhole(sql)} AND event IN ('accepted', 'quarantined', 'resumed', 'done', 'erred')
        GROUP BY order_id
      ) ORDER BY id DESC`
    const isOver = ({ event }: { readonly event: string }) => event === "done" || event === "erred"
    const over = new Set(known.filter(isOver).slice(0, ended))
    const wanted = known.filter((row) => !isOver(row) || over.has(row))
    return yield* Effect.forEach(wanted, (row) =>
      Effect.map(storyOf(row.order_id), (story) => summaryOf(row.order_id, row.resource_id, story))
    )
  }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(new JournalUnavailable({ reason: reasonOf(error) }))))

/** Every entry of one order, earlier attempts included, the oldest first. */
export const storyOf = (order: string): Result<ReadonlyArray<JournalEntry>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<Row>`SELECT step, event, at, data FROM journal WHERE order_id = ${order} ORDER BY id`
    return rows.map(entryOf)
  }).pipe(unavailable)

/** Of how many. */
const recently = 9

/** How long such a step took, in the middle of the last ones that were carried out; ms. */
export const usuallyTakes = (step: string): Result<Option.Option<number>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ readonly took: number }>`
      SELECT finished.at - (SELECT max(begun.at) FROM journal AS begun WHERE begun.order_id = finished.order_id
        AND begun.step = finished.step AND begun.event = 'started' AND begun.id < finished.id) AS took
      FROM journal AS finished WHERE finished.step = ${step} AND finished.event = 'finished'
      ORDER BY finished.id DESC LIMIT ${recently}`
    const sorted = rows.map(({ took }) => took).toSorted((a, b) => a - b)
    return Option.fromNullable(sorted[Math.floor(sorted.length / 2)])
  }).pipe(unavailable)

/** The orders whose uuid begins so. */
export const ordersLike = (
  beginning: string
): Result<ReadonlyArray<{ readonly order: string; readonly resource: string }>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<{ readonly order: string; readonly resource: string }>`
      SELECT DISTINCT order_id AS "order", resource_id AS resource FROM journal
      WHERE substr(order_id, 1, ${beginning.length}) = ${beginning} LIMIT 10`
  }).pipe(unavailable)

export const leftovers: Result<ReadonlyArray<Leftover & { readonly at: number }>> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<Leftover & { readonly at: number }>`
    SELECT order_id AS "order", resource_id AS resource, step, reason, at FROM leftover ORDER BY at`
}).pipe(unavailable)

export interface SignOfLife {
  /** Has an agent been heard of lately, and not said that it stops? */
  readonly runs: boolean
  /** For how many ms none has given a sign of life. */
  readonly silence: number
}

/** Whether an agent runs on this database. None: there never was one. */
export const signOfLife: Result<Option.Option<SignOfLife>> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly seen: number | null; readonly stopped: number }>`
    SELECT max(seen) AS seen,
      CASE WHEN EXISTS (SELECT 1 FROM pause WHERE scope = ${wholeAgent} AND until IS NULL) THEN 1 ELSE 0 END AS stopped
    FROM agent`
  const now = yield* Clock.currentTimeMillis
  return Option.map(Option.fromNullable(row?.seen), (seen) => {
    const silence = Math.max(0, now - seen)
    return { runs: row?.stopped === 0 && silence < longSilence, silence }
  })
}).pipe(unavailable)

interface PauseNow {
  /** Of which the scope is the uuid. */
  readonly what: "Offering" | "Order"
  readonly scope: string
  readonly reason: string
  readonly since: number
}

/** What holds orders up now: offerings that are stopped, not in the file or whose servers are away, and orders that were begun elsewhere. */
export const pausesNow: Result<ReadonlyArray<PauseNow>> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<PauseNow>`
    SELECT CASE WHEN scope IN (SELECT order_id FROM known_order) THEN 'Order' ELSE 'Offering' END AS what,
      scope, min(reason) AS reason, min(since) AS since FROM pause
    WHERE until IS NULL AND scope <> ${wholeAgent} GROUP BY scope ORDER BY min(since)`
}).pipe(unavailable)

interface ExportRow extends Row {
  readonly id: number
  readonly order: string
  readonly resource: string
  readonly epoch: number
}

const atOnce = 1000

/**
 * As of one moment: what is written meanwhile is not seen. In PostgreSQL an entry of a lower id may appear after one of a higher; a file has one
 * writer, whose ids are in order.
 */
export const atOneMoment = <A, E, R>(
  look: Effect.Effect<A, E, R>
): Effect.Effect<A, E | JournalUnavailable, R | SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    isShared(sql)
      ? Effect.suspend(() => {
          const begin = unavailable(sql.unsafe("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
          return Effect.mapError(together(sql, Effect.zipRight(begin, look)), (error) =>
            error instanceof SqlError.SqlError ? new JournalUnavailable({ reason: reasonOf(error) }) : error
          )
        })
      : look
  )

/** Every entry, or those of one order, as one line of JSON each, in the order in which they were written. A page at a time: within `atOneMoment`. */
export const jsonLines = (
  order: Option.Option<string>
): Stream.Stream<string, JournalUnavailable, SqlClient.SqlClient> =>
  Stream.paginateChunkEffect(0, (after) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql<ExportRow>`
        SELECT id, order_id AS "order", resource_id AS resource, epoch, step, event, at, data FROM journal
        WHERE id > ${after} ${Option.match(order, { onNone: () => sql``, onSome: (id) => sql`AND order_id = ${id}` })}
        ORDER BY id LIMIT ${atOnce}`
      const next = rows.length < atOnce ? Option.none() : Option.fromNullable(rows.at(-1)?.id)
      return [Chunk.fromIterable(rows.map(lineOf)), next] as const
    }).pipe(unavailable)
  )

const lineOf = ({ id, order, resource, epoch, ...row }: ExportRow): string => {
  const { step, event, at, data } = entryOf(row)
  return JSON.stringify({ id, order, resource, epoch, step, event, at: new Date(at).toISOString(), data })
}
