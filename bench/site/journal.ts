/** Looks into a running agent's journal from outside. */
import { Effect, Schedule } from "effect"
import { onCopy } from "../../test/crash/journal.js"

const ask = (dataDir: string, statement: string, ...values: ReadonlyArray<number>): number =>
  onCopy(dataDir, (database) => {
    const [row] = database
      .prepare(statement)
      .raw()
      .all(...values)
    return Array.isArray(row) ? Number(row[0]) : 0
  })

/** The newest entry. */
export const lastEntry = (dataDir: string): Effect.Effect<number> =>
  Effect.sync(() => ask(dataDir, "SELECT coalesce(max(id), 0) FROM journal"))

/** Orders that waited for their machine at that entry. */
const waitedAt = `SELECT order_id FROM journal AS entry WHERE step = 'running' AND event = 'started'
  AND id = (SELECT max(id) FROM journal WHERE order_id = entry.order_id AND step = entry.step AND id <= ?)`

/** How many. */
export const waited = (dataDir: string, at: number): Effect.Effect<number> =>
  Effect.sync(() => ask(dataDir, `SELECT count(*) FROM (${waitedAt})`, at))

/** Completes when so many orders, of those that did not wait for their machine at that entry, have had one since. Looks ten times a second. */
export const untilWorked = (dataDir: string, orders: number, since: number): Effect.Effect<void> =>
  // A copy that was taken in the middle of a write cannot be read.
  Effect.try(() =>
    ask(
      dataDir,
      `SELECT count(DISTINCT order_id) FROM journal WHERE id > ? AND order_id NOT IN (${waitedAt})`,
      since,
      since
    )
  ).pipe(
    Effect.orElseSucceed(() => 0),
    Effect.repeat({ until: (worked) => worked >= orders, schedule: Schedule.spaced("100 millis") }),
    Effect.asVoid
  )
