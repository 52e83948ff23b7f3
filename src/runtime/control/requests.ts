/**
 * What somebody at the command line asks of the running agent: rows of a table in the journal's database.
 *
 * A table, and no socket: whoever may write the file may ask, there is nothing more to secure, and what was asked while no agent ran is
 * found by the next one. A request that was handled but not yet answered when the agent died is handled again: each may be.
 */
import { SqlClient } from "@effect/sql"
import { Clock, Effect, Option, Schema } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { unavailable } from "../database/sql.js"

/** `retry` an order, undo the `leftovers` of an order (or of all), `release` a resource from quarantine, `look` at all resources,
 * synchronise the `members` of all, have a part log more or less (`log-level`, subject "waldur=debug"). */
export const RequestKind = Schema.Literal("retry", "leftovers", "release", "look", "members", "log-level")
export type RequestKind = typeof RequestKind.Type

export interface ControlRequest {
  readonly id: number
  readonly kind: string
  /** An order's or a resource's uuid; empty: all. */
  readonly subject: string
}

export interface Answer {
  /** Was it done? */
  readonly ok: boolean
  /** One sentence. */
  readonly outcome: string
}

type Result<A> = Effect.Effect<A, JournalUnavailable, SqlClient.SqlClient>

/** Writes the request down. */
export const ask = (kind: RequestKind, subject: string): Result<number> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const at = yield* Clock.currentTimeMillis
    const [row] = yield* sql<{ readonly id: number }>`
      INSERT INTO request (kind, subject, at) VALUES (${kind}, ${subject}, ${at}) RETURNING id`
    return row?.id ?? 0
  }).pipe(unavailable)

export const answerTo = (id: number): Result<Option.Option<Answer>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ readonly ok: number; readonly outcome: string }>`
      SELECT ok, outcome FROM request WHERE id = ${id} AND handled IS NOT NULL`
    return Option.map(Option.fromNullable(rows[0]), (row) => ({ ok: row.ok === 1, outcome: row.outcome }))
  }).pipe(unavailable)

export const waiting: Result<ReadonlyArray<ControlRequest>> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<ControlRequest>`SELECT id, kind, subject FROM request WHERE handled IS NULL ORDER BY id`
}).pipe(unavailable)

export const settle = (id: number, { ok, outcome }: Answer): Result<void> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const now = yield* Clock.currentTimeMillis
    yield* sql`UPDATE request SET handled = ${now}, ok = ${ok ? 1 : 0}, outcome = ${outcome} WHERE id = ${id}`
  }).pipe(unavailable)
