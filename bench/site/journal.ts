/** Looks into a running agent's journal from outside. */
import { Effect } from "effect"
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

/** Completes when so many orders have had an entry since that one. Looks ten times a second. */
export const untilWorked = (dataDir: string, orders: number, since: number): Effect.Effect<void> =>
  // A copy that was taken in the middle of a write cannot be read.
  Effect.try(() => ask(dataDir, "SELECT count(DISTINCT order_id) FROM journal WHERE id > ?", since)).pipe(
    Effect.orElseSucceed(() => 0),
    Effect.delay("100 millis"),
    Effect.repeat({ until: (worked) => worked >= orders }),
    Effect.asVoid
  )
