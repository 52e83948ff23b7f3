/**
 * Looks into a running agent's journal from outside. A copy is read, never the file itself: another process that has it open would change how the
 * agent finds it after a crash.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import Database from "libsql"

const ask = (dataDir: string, statement: string, ...values: ReadonlyArray<number>): number => {
  const source = join(dataDir, "journal.db")
  const directory = mkdtempSync(join(tmpdir(), "site-actors-bench-journal-"))
  try {
    const copy = join(directory, "journal.db")
    for (const ending of ["", "-wal"]) {
      if (existsSync(source + ending)) copyFileSync(source + ending, copy + ending)
    }
    const database = new Database(copy)
    try {
      const [row] = database
        .prepare(statement)
        .raw()
        .all(...values)
      return Array.isArray(row) ? Number(row[0]) : 0
    } finally {
      database.close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

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
