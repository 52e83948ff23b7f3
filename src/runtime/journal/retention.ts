/**
 * What the journal forgets: orders that ended long ago, except the last one of each living resource, which says what that resource was
 * last made to be, and those of which something is left over.
 */
import { SqlClient } from "@effect/sql"
import { Array, Clock, Duration, Effect } from "effect"
import { countOf, type JournalUnavailable } from "../../core/index.js"
import { later, orderAsAWhole, said } from "../database/dialect.js"
import { straight, unavailable } from "../database/sql.js"
import { retentionRound } from "../schedules.js"
import { forgottenLeases } from "./lease.js"

/**
 * So many orders are forgotten in one statement. The process stands still for as long as it takes: for thousands at once, as when
 * `journal_retention_days` was made smaller, that was long enough to be taken for dead, killed, and to begin anew.
 */
const atOnce = 50

/** Forgets what ended before `keep` ago. Returns how many orders. Each statement leaves a whole journal, so a crash in between does no harm. */
export const forget = (keep: Duration.Duration): Effect.Effect<number, JournalUnavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const run = straight(sql)
    const before = (yield* Clock.currentTimeMillis) - Duration.toMillis(keep)
    const old = yield* sql<{ readonly order_id: string }>`
      WITH latest AS (
        SELECT order_id, resource_id, event, at, id FROM journal WHERE id IN (
          SELECT max(id) FROM journal
          WHERE step = ${orderAsAWhole(sql)} AND event IN ('accepted', 'done', 'erred')
          GROUP BY order_id
        )
      ),
      last_of_resource AS (
        SELECT max(id) AS id FROM latest WHERE event = 'done' GROUP BY resource_id
      )
      SELECT order_id FROM latest
      WHERE event IN ('done', 'erred') AND at < ${before}
        AND (
          id NOT IN (SELECT id FROM last_of_resource)
          OR EXISTS (
            SELECT 1 FROM journal AS accepted
            WHERE accepted.order_id = latest.order_id AND accepted.step = ${orderAsAWhole(sql)} AND accepted.event = 'accepted'
              AND ${said(sql, "accepted.data", "request", "_tag")} = 'Terminate'
          )
        )
      ORDER BY id`
    // Its own orders let go of it; not where its front-end was called otherwise by then, as what is reserved is of a front-end by its address.
    yield* sql`DELETE FROM reservation
      WHERE resource_id IN (SELECT resource_id FROM known_resource WHERE life = 'ended')
        AND resource_id NOT IN (SELECT resource_id FROM known_order WHERE ended IS NULL)`
    // Said before it is done: of whatever is gone it is known that it may be.
    yield* sql`INSERT INTO lease (resource_id, epoch, owner, at)
      SELECT ${forgottenLeases}, coalesce(max(epoch), 0), '', CAST(${before} AS BIGINT) FROM lease
      WHERE at < ${before} AND resource_id <> ${forgottenLeases}
      ON CONFLICT (resource_id) DO UPDATE SET
        epoch = ${later(sql, sql`excluded.epoch`, sql`lease.epoch`)}, at = ${later(sql, sql`excluded.at`, sql`lease.at`)}`
    let gone = 0
    for (const orders of Array.chunksOf(old, atOnce)) {
      // One that was taken up anew meanwhile has not ended, and one of which something is left over has to be known.
      const rows = yield* sql<{ readonly order_id: string }>`
        DELETE FROM journal WHERE order_id IN (
          SELECT order_id FROM journal
          WHERE step = ${orderAsAWhole(sql)} AND order_id IN ${sql.in(orders.map(({ order_id }) => order_id))}
          GROUP BY order_id HAVING max(at) < ${before}
        ) AND order_id NOT IN (SELECT order_id FROM leftover)
        RETURNING order_id`
      gone += new Set(rows.map((row) => row.order_id)).size
    }
    // One that was taken meanwhile is not as old.
    yield* sql`DELETE FROM lease
      WHERE at < ${before} AND resource_id <> ${forgottenLeases} AND resource_id NOT IN (SELECT resource_id FROM journal)`
    yield* sql`DELETE FROM pause WHERE until < ${before}
      AND NOT EXISTS (SELECT 1 FROM journal AS open WHERE open.step = ${orderAsAWhole(sql)} AND open.event = 'accepted'
        AND open.at < pause.until AND NOT EXISTS (
          SELECT 1 FROM journal AS later WHERE later.order_id = open.order_id AND later.step = ${orderAsAWhole(sql)}
            AND later.id > open.id AND later.event IN ('done', 'erred')))`
    // What is still reported and was forgotten is asked of Waldur again.
    yield* run(sql`DELETE FROM usage_told WHERE at < ${before}`)
    yield* run(sql`DELETE FROM request WHERE handled < ${before}`)
    yield* run(sql`DELETE FROM audit WHERE at < ${before}`)
    yield* run(sql`DELETE FROM cancellation WHERE order_id NOT IN (SELECT order_id FROM known_order)`)
    yield* run(sql`DELETE FROM reconciliation WHERE at < ${before}`)
    return gone
  }).pipe(unavailable)

/** Once a day, for as long as the agent runs. */
export const forgetDaily = (keep: Duration.Duration) =>
  forget(keep).pipe(
    Effect.tap((count) =>
      Effect.when(Effect.logInfo(`The journal forgot ${countOf(count, "old order")}`), () => count > 0)
    ),
    Effect.catchAll((error) => Effect.logWarning(`The journal could not be tidied: ${error.message}`)),
    Effect.repeat(retentionRound),
    Effect.asVoid
  )
