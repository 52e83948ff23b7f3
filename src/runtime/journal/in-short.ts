/** Orders and resources in short, from the rows that `known.ts` keeps: a look at an index, however long the journal is. */
import { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { unavailable } from "../database/sql.js"

type Result<A> = Effect.Effect<A, JournalUnavailable, SqlClient.SqlClient>

export interface OrderInShort {
  readonly order: string
  readonly resource: string
  readonly offering: string
  readonly type: string
  readonly name: string
  readonly state: string
  /** When it was (last) accepted, and when it ended; ms since 1970. */
  readonly accepted: number
  readonly ended: number | null
  readonly lastAt: number
  /** The last step, or what went wrong. */
  readonly last: string
  readonly retries: number
}

export interface ResourceInShort {
  readonly resource: string
  readonly offering: string
  readonly name: string
  /** `making`, `active`, `failed`, `ended`. */
  readonly life: string
}

const columns = `order_id AS "order", resource_id AS resource, offering, type, name, state, accepted, ended, last_at AS "lastAt", last, retries`

/** The orders in work as they are at one moment. */
export interface Work {
  /** State -> how many: of those in work, and of those that ended since then. */
  readonly counts: Readonly<Record<string, number>>
  /** Those that have not ended, the one that was accepted first first. */
  readonly orders: ReadonlyArray<OrderInShort>
}

/** One statement, so that no order is counted in one state and listed in another. `limit`: of those that are listed. */
export const workNow = (since: number, limit: number): Result<Work> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<OrderInShort & { readonly many: number | null }>`
      SELECT NULL AS many, * FROM (
        SELECT ${sql.literal(columns)} FROM known_order WHERE ended IS NULL ORDER BY seq LIMIT ${limit}) AS open
      UNION ALL
      SELECT count(*), '', '', '', '', '', state, 0, NULL, 0, '', 0 FROM known_order
        WHERE ended IS NULL OR ended >= ${since} GROUP BY state`
    return {
      counts: Object.fromEntries(rows.flatMap(({ many, state }) => (many === null ? [] : [[state, many]]))),
      orders: rows.filter(({ many }) => many === null).map(({ many: _, ...order }) => order)
    }
  }).pipe(unavailable)

/** Every order of a resource, the newest first. */
export const ordersOf = (resource: string): Result<ReadonlyArray<OrderInShort>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<OrderInShort>`SELECT ${sql.literal(columns)} FROM known_order WHERE resource_id = ${resource} ORDER BY seq DESC`
  }).pipe(unavailable)

/** The resources whose uuid begins so; ten at most. */
export const resourcesLike = (beginning: string): Result<ReadonlyArray<ResourceInShort>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return yield* sql<ResourceInShort>`SELECT resource_id AS resource, offering, name, life FROM known_resource
      WHERE substr(resource_id, 1, ${beginning.length}) = ${beginning} LIMIT 10`
  }).pipe(unavailable)
