/**
 * What the journal forgets: orders that ended long ago, except the last one of each living resource, which says what that resource was
 * last made to be, and those of which something is left over.
 */
import { SqlClient } from "@effect/sql"
import { Clock, Duration, Effect } from "effect"
import { type JournalUnavailable, wholeOrder } from "../../core/index.js"
import { retentionRound } from "../schedules.js"
import { said } from "./dialect.js"
import { straight, unavailable } from "./sql.js"

/** Forgets what ended before `keep` ago. Returns how many orders. One statement a table, so a crash in between does no harm. */
export const forget = (keep: Duration.Duration): Effect.Effect<number, JournalUnavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const run = straight(sql)
    const before = (yield* Clock.currentTimeMillis) - Duration.toMillis(keep)
    const gone = yield* sql<{ readonly order_id: string }>`
      WITH latest AS (
        SELECT order_id, resource_id, event, at, id FROM journal WHERE id IN (
          SELECT max(id) FROM journal
          WHERE step = ${wholeOrder} AND event IN ('accepted', 'done', 'erred')
          GROUP BY order_id
        )
      ),
      last_of_resource AS (
        SELECT max(id) AS id FROM latest WHERE event = 'done' GROUP BY resource_id
      )
      DELETE FROM journal WHERE order_id IN (
        SELECT order_id FROM latest
        WHERE event IN ('done', 'erred') AND at < ${before}
          AND order_id NOT IN (SELECT order_id FROM leftover)
          AND (
            id NOT IN (SELECT id FROM last_of_resource)
            OR EXISTS (
              SELECT 1 FROM journal AS accepted
              WHERE accepted.order_id = latest.order_id AND accepted.step = ${wholeOrder} AND accepted.event = 'accepted'
                AND ${said(sql, "accepted.data", "request", "_tag")} = 'Terminate'
            )
          )
      )
      RETURNING order_id`
    yield* sql`DELETE FROM lease
      WHERE at < ${before} AND resource_id NOT IN (SELECT resource_id FROM journal)`
    yield* sql`DELETE FROM pause WHERE until < ${before}
      AND NOT EXISTS (SELECT 1 FROM journal AS open WHERE open.step = ${wholeOrder} AND open.event = 'accepted'
        AND open.at < pause.until AND NOT EXISTS (
          SELECT 1 FROM journal AS later WHERE later.order_id = open.order_id AND later.step = ${wholeOrder}
            AND later.id > open.id AND later.event IN ('done', 'erred')))`
    // What is still reported and was forgotten is asked of Waldur again.
    yield* run(sql`DELETE FROM usage_told WHERE at < ${before}`)
    yield* run(sql`DELETE FROM request WHERE handled < ${before}`)
    yield* run(sql`DELETE FROM audit WHERE at < ${before}`)
    yield* run(sql`DELETE FROM cancellation WHERE order_id NOT IN (SELECT order_id FROM known_order)`)
    yield* run(sql`DELETE FROM reconciliation WHERE at < ${before}`)
    return new Set(gone.map((row) => row.order_id)).size
  }).pipe(unavailable)

/** Once a day, for as long as the agent runs. */
export const forgetDaily = (keep: Duration.Duration) =>
  forget(keep).pipe(
    Effect.tap((count) => Effect.when(Effect.logInfo(`The journal forgot ${count} old order(s)`), () => count > 0)),
    Effect.catchAll((error) => Effect.logWarning(`The journal could not be tidied: ${error.message}`)),
    Effect.repeat(retentionRound),
    Effect.asVoid
  )
