/**
 * The database file over libSQL's own driver, called without its promises, each statement prepared once: with the promises of `@libsql/client`
 * around it, and a statement prepared for each entry, an entry cost more than twice the processor time.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs"
import { SqlError } from "@effect/sql"
import Libsql from "libsql"

export type Row = Readonly<Record<string, unknown>>

export interface File {
  /** Runs one statement; throws what the driver throws. */
  readonly run: (text: string, params: ReadonlyArray<unknown>) => ReadonlyArray<Row>
  readonly inTransaction: () => boolean
  /** Calls back when the disk has all that has been committed until now. Whatever is committed meanwhile asks again. */
  readonly sync: (done: (error: Error | null) => void) => void
  /** The same, and stands still for it. */
  readonly syncNow: () => void
  readonly close: () => void
}

/** A statement of which the driver says that it returns nothing must not be asked for rows, and one that returns some must be. */
interface Prepared {
  readonly statement: Libsql.Statement
  readonly returnsRows: boolean
}

type Log = Pick<File, "sync" | "syncNow" | "close">

/** What is committed is on the disk. */
const noLog: Log = {
  sync: (done) => done(null),
  syncNow: () => undefined,
  close: () => undefined
}

/** Beyond this it is assumed that texts are being made up, with values in them. */
const mostPrepared = 200

const isRow = (row: unknown): row is Row => typeof row === "object" && row !== null

/** SQLite has no booleans. */
const valueOf = (param: unknown): unknown => (typeof param === "boolean" ? Number(param) : (param ?? null))

/**
 * SQLite's log beside the file, where a commit is written: what `synchronous=FULL` waits for. Through a descriptor of our own, which no lock of
 * SQLite's hangs on (those are on the file and on its index, `-shm`); the log stays the same file as long as the database is open.
 */
const openLog = (path: string): Log => {
  let log: number | undefined
  let underWay = 0
  let isClosed = false
  // Windows flushes only what may be written.
  const descriptor = (): number => (log ??= openSync(`${path}-wal`, "r+"))
  const closeIfDone = (): void => {
    if (!isClosed || underWay > 0 || log === undefined) return
    closeSync(log)
    log = undefined
  }
  return {
    sync: (done) => {
      let opened: number
      try {
        opened = descriptor()
      } catch (cause) {
        // No descriptors left, or somebody has removed it. Thrown from here it would end the process.
        return done(cause instanceof Error ? cause : new Error(String(cause)))
      }
      underWay += 1
      fdatasync(opened, (error) => {
        underWay -= 1
        closeIfDone()
        done(error)
      })
    },
    syncNow: () => fdatasyncSync(descriptor()),
    close: () => {
      isClosed = true
      closeIfDone()
    }
  }
}

/**
 * `synchronous=FULL` in the hands of whoever calls: a commit is on the disk when `sync` says so, and the process goes on meanwhile. A file that cannot have
 * a log (some network drives) waits at each commit.
 */
export const openFile = (path: string): File => {
  const database = new Libsql(path)
  const statements = new Map<string, Prepared>()
  const prepare = (text: string): Prepared => {
    const known = statements.get(text)
    if (known !== undefined) return known
    const statement = database.prepare(text)
    const prepared = { statement, returnsRows: statement.reader }
    if (statements.size < mostPrepared) statements.set(text, prepared)
    return prepared
  }
  const run = (text: string, params: ReadonlyArray<unknown>): ReadonlyArray<Row> => {
    const { returnsRows, statement } = prepare(text)
    const values = params.map(valueOf)
    if (returnsRows) return statement.all(values).filter(isRow)
    statement.run(values)
    return []
  }
  // The wait for a lock stops the whole process, so it is short; whoever wanted to write tries again later.
  run("PRAGMA busy_timeout = 1000", [])
  const [mode] = run("PRAGMA journal_mode = WAL", [])
  const hasLog = mode?.journal_mode === "wal"
  run(`PRAGMA synchronous = ${hasLog ? "NORMAL" : "FULL"}`, [])
  const log = hasLog ? openLog(path) : noLog
  return {
    run,
    inTransaction: () => database.inTransaction,
    sync: log.sync,
    syncNow: log.syncNow,
    close: () => {
      log.close()
      // Into the file itself: what is prepared keeps SQLite from doing so at its end, and whoever then copies `journal.db` alone would copy nothing.
      try {
        run("PRAGMA wal_checkpoint(PASSIVE)", [])
      } catch {
        // Read only, no room, or somebody else is at it: it is all beside it, in the -wal.
      }
      database.close()
    }
  }
}

export const asSqlError = (cause: unknown): SqlError.SqlError =>
  new SqlError.SqlError({ cause, message: "Failed to execute statement" })
