/**
 * The agent's journal, looked at from outside. A copy is read, never the file itself: another process that has it open would change how
 * the agent finds it after a crash (no recovery of the write-ahead log while somebody else holds it).
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Schema } from "effect"
import Database from "libsql"

const Rows = Schema.Array(
  Schema.Struct({ id: Schema.Number, order_id: Schema.String, step: Schema.String, event: Schema.String })
)
const Lines = Schema.Array(Schema.Struct({ line: Schema.String }))

export interface JournalCopy {
  readonly rows: typeof Rows.Type
  /** Accepted and not ended. */
  readonly openOrders: ReadonlyArray<string>
  readonly leftovers: ReadonlyArray<string>
  readonly reservations: ReadonlyArray<string>
}

const nothing: JournalCopy = { rows: [], openOrders: [], leftovers: [], reservations: [] }

/** Opens a copy of the journal as it stands at this moment, and removes it again. */
export const onCopy = <A>(dataDir: string, look: (database: Database.Database) => A): A => {
  const source = join(dataDir, "journal.db")
  const directory = mkdtempSync(join(tmpdir(), "site-actors-journal-"))
  try {
    const copy = join(directory, "journal.db")
    for (const ending of ["", "-wal"]) {
      if (existsSync(source + ending)) copyFileSync(source + ending, copy + ending)
    }
    const database = new Database(copy)
    try {
      return look(database)
    } finally {
      database.close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** As it stands at this moment; empty before the agent has made it. Takes a few milliseconds. */
export const readJournal = (dataDir: string): JournalCopy => {
  if (!existsSync(join(dataDir, "journal.db"))) return nothing
  return onCopy(dataDir, (database) => {
    const all = (query: string) => database.prepare(query).all()
    if (all("SELECT name FROM sqlite_master WHERE name = 'leftover'").length === 0) return nothing
    const rows = Schema.decodeUnknownSync(Rows)(all("SELECT id, order_id, step, event FROM journal ORDER BY id"))
    const whole = rows.filter(({ step }) => step === "order")
    const orders = [...new Set(whole.map(({ order_id }) => order_id))]
    const lines = (query: string) => Schema.decodeUnknownSync(Lines)(all(query)).map(({ line }) => line)
    return {
      rows,
      openOrders: orders.filter((order) => {
        const last = whole.findLast(
          ({ event, order_id }) => order_id === order && ["accepted", "done", "erred"].includes(event)
        )
        return last?.event === "accepted"
      }),
      leftovers: lines("SELECT step || ': ' || reason AS line FROM leftover"),
      reservations: lines("SELECT pool || ' ' || first || ' to ' || last AS line FROM reservation")
    }
  })
}

/** Steps that have been begun, or begun to be undone, and have no result yet: order and step. */
export const openSteps = ({ rows }: JournalCopy): ReadonlySet<string> => {
  const open = new Map<string, string>()
  for (const { event, order_id, step } of rows) {
    const key = `${order_id} ${step}`
    if (event === "started" || event === "undoing") open.set(key, step)
    else open.delete(key)
  }
  return new Set(open.keys())
}
