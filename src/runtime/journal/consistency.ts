/**
 * Is the journal what it should be? Looked at when the agent starts, before anything rests on it.
 *
 * A damaged file stops the start. An order whose entries make no sense is named in the log, and is left to its actor; the others are
 * not to suffer for it.
 */
import { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import { isNoJson, isShared, orderAsAWhole, said } from "../database/dialect.js"
import { damaged } from "../database/file/file.js"
import { DatabaseUnusable, unusableBy } from "./unusable.js"

/** Of a file. A PostgreSQL sees to its own. */
const quickCheck = (path: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const verdicts = yield* sql<{ readonly quick_check: string }>`PRAGMA quick_check(3)`
    const damage = verdicts.map((row) => row.quick_check).filter((verdict) => verdict !== "ok")
    if (damage.length > 0) return yield* new DatabaseUnusable({ path, reason: damage.join("; "), hint: damaged })
  })

/**
 * Everything odd about single orders, one sentence each. Fails if the file itself is damaged. `path`: for the message. `which`: of all that is
 * written down, or of what has not ended.
 */
export const inspect = (
  path: string,
  which: "all" | "open" = "all"
): Effect.Effect<ReadonlyArray<string>, DatabaseUnusable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    if (!isShared(sql)) yield* quickCheck(path)
    const wanted =
      which === "all" ? sql`1 = 1` : sql`order_id IN (SELECT order_id FROM known_order WHERE ended IS NULL)`
    const broken = yield* sql<{ readonly order_id: string; readonly step: string }>`
      SELECT DISTINCT order_id, step FROM journal WHERE ${isNoJson(sql, "data")} AND ${wanted}`
    const headless = yield* sql<{ readonly order_id: string }>`
      SELECT order_id FROM journal WHERE ${wanted} GROUP BY order_id
      HAVING max(CASE WHEN step = ${orderAsAWhole(sql)} AND event = 'accepted' THEN 1 ELSE 0 END) = 0
        AND max(CASE WHEN step <> ${orderAsAWhole(sql)} THEN 1 ELSE 0 END) = 1`
    const homeless = yield* sql<{ readonly order_id: string }>`
      SELECT DISTINCT order_id FROM journal
      WHERE step = ${orderAsAWhole(sql)} AND event = 'accepted' AND NOT ${isNoJson(sql, "data")}
        AND ${said(sql, "data", "offering")} IS NULL AND ${wanted}`
    const ownerless = yield* sql<{ readonly order_id: string }>`
      SELECT DISTINCT order_id FROM journal WHERE ${wanted} AND resource_id NOT IN (SELECT resource_id FROM lease)`
    return [
      ...broken.map((row) => `Order ${row.order_id}: what is written down of step "${row.step}" cannot be read.`),
      ...headless.map((row) => `Order ${row.order_id}: it has steps, but was never accepted.`),
      ...homeless.map((row) => `Order ${row.order_id}: it was accepted for no offering.`),
      ...ownerless.map((row) => `Order ${row.order_id}: nobody ever held its resource.`)
    ]
  }).pipe(Effect.catchTag("SqlError", (error) => unusableBy(path, error, damaged)))

/** Inspects, and logs what is odd. A journal of several processes may be long, and is looked at by each of them: so only at what is open. */
export const assertSound = (path: string): Effect.Effect<void, DatabaseUnusable, SqlClient.SqlClient> =>
  Effect.flatMap(
    Effect.flatMap(SqlClient.SqlClient, (sql) => inspect(path, isShared(sql) ? "open" : "all")),
    (oddities) =>
      Effect.forEach(oddities, (sentence) => Effect.logError(`The journal is inconsistent. ${sentence}`), {
        discard: true
      })
  )
