/**
 * The database file over libSQL's own driver, called without its promises, each statement prepared once: with the promises of `@libsql/client`
 * around it, and a statement prepared for each entry, an entry cost more than twice the processor time.
 */
import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync, readSync, statfsSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { SqlError } from "@effect/sql"
import Libsql from "libsql"
import { type Home, makeHome } from "./home.js"

export type Row = Readonly<Record<string, unknown>>

export interface File {
  /** Runs one statement; throws what the driver throws. */
  readonly run: (text: string, params: ReadonlyArray<unknown>) => ReadonlyArray<Row>
  readonly inTransaction: () => boolean
  /** Calls back when the disk has all that has been committed until now. Whatever is committed meanwhile asks again. */
  readonly sync: (done: (error: Error | null) => void) => void
  /** The same, and stands still for it. */
  readonly syncNow: () => void
  /** What has been committed and is not in the database itself yet, to be kept when the disk has refused some of it. */
  readonly pending: () => Pending
  /**
   * Has the disk write it all once more. A disk that has refused something says so once, and from then on that it has everything: what the next
   * commits append would stand behind a gap, where nobody looks after a power cut. Throws if the disk refuses it again, or somebody else writes.
   */
  readonly writeAgain: (pending: Pending) => void
  /** Has its disk room for the largest of what is committed together? Throws if it has not. */
  readonly assertRoom: () => void
  readonly close: () => void
}

/** A copy of SQLite's log, if there was something to copy. */
export type Pending = Uint8Array | undefined

/** A statement of which the driver says that it returns nothing must not be asked for rows, and one that returns some must be. */
interface Prepared {
  readonly statement: Libsql.Statement
  readonly returnsRows: boolean
}

interface Log extends Pick<File, "sync" | "syncNow" | "pending" | "close"> {
  /** Nobody else may write meanwhile. */
  readonly writeAgain: (pending: Pending) => void
}

/** What is committed is on the disk. */
const noLog: Log = {
  sync: (done) => done(null),
  syncNow: () => undefined,
  pending: () => undefined,
  writeAgain: () => undefined,
  close: () => undefined
}

/** A log that is longer, as somebody reads for hours, is not held in memory: the system has it in its own, if not for certain. */
const mostKept = 64 * 1024 * 1024

/** The log's head, by which one beginning of it differs from the next. */
const headSize = 32

const portion = 1024 * 1024

/** Bytes. On a disk that has less than this a small statement may still find room, and let everybody try who needs more. */
const leastRoom = 1024 * 1024

/** Beyond this it is assumed that texts are being made up, with values in them. */
const mostPrepared = 200

const isRow = (row: unknown): row is Row => typeof row === "object" && row !== null

/** SQLite has no booleans. */
const valueOf = (param: unknown): unknown => (typeof param === "boolean" ? Number(param) : (param ?? null))

const readAt = (file: number, at: number, length: number): Uint8Array => {
  const read = new Uint8Array(length)
  return read.subarray(0, readSync(file, read, 0, length, at))
}

/** A disk with little room may take a part, and refuse only the rest. */
const writeAt = (file: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done)
}

const isSame = (log: Uint8Array, head: Uint8Array): boolean =>
  head.length === headSize && head.every((byte, at) => log[at] === byte)

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
  // Before anything is written: what the disk refuses of a checkpoint of SQLite's own is told to each descriptor that was there then, and to no later
  // one.
  try {
    descriptor()
  } catch {
    // Whoever only reads may not open it, and needs no word of it.
  }
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
        // It may look for what it has failed with.
        done(error)
        closeIfDone()
      })
    },
    syncNow: () => fdatasyncSync(descriptor()),
    pending: () => {
      const opened = descriptor()
      const { size } = fstatSync(opened)
      return size > mostKept ? undefined : readAt(opened, 0, size)
    },
    writeAgain: (pending) => {
      const opened = descriptor()
      const { size } = fstatSync(opened)
      if (size === 0) return
      const isOfThis = pending !== undefined && isSame(pending, readAt(opened, 0, Math.min(size, headSize)))
      for (let at = 0; at < size; at += portion) {
        const now = readAt(opened, at, Math.min(portion, size - at))
        // What was refused may be gone from the system's memory, too. Behind it somebody else may have written since.
        if (isOfThis) now.set(pending.subarray(at, at + now.length))
        writeAt(opened, now, at)
      }
      fdatasyncSync(opened)
    },
    close: () => {
      isClosed = true
      closeIfDone()
    }
  }
}

/**
 * `synchronous=FULL` in the hands of whoever calls: a commit is on the disk when `sync` says so, and the process goes on meanwhile. A file that
 * cannot have a log (some network drives) waits at each commit. `home`: of the one that was opened before, where this is not the first time.
 */
export const openFile = (path: string, home: Home = makeHome(path)): File => {
  // SQLite would make an empty one.
  home.assertThere()
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
  home.found()
  return {
    run,
    inTransaction: () => database.inTransaction,
    sync: (done) => {
      try {
        home.assertThere()
      } catch (cause) {
        return done(cause instanceof Error ? cause : new Error(String(cause)))
      }
      log.sync(done)
    },
    syncNow: () => {
      home.assertThere()
      log.syncNow()
    },
    pending: log.pending,
    writeAgain: (pending) => {
      run("BEGIN IMMEDIATE", [])
      try {
        log.writeAgain(pending)
      } finally {
        run("ROLLBACK", [])
      }
    },
    assertRoom: () => {
      const { bavail, bsize } = statfsSync(dirname(path))
      if (bavail * bsize < leastRoom)
        throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" })
    },
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

/**
 * For a start: an earlier process may have ended after the disk had refused what it committed. What it left stands in the system's memory, and may
 * not be on the disk. Throws if the disk refuses it, or has no room for what comes.
 */
export const writeLogAgain = (path: string): void => {
  const file = openFile(path)
  try {
    file.assertRoom()
    file.writeAgain(undefined)
  } finally {
    file.close()
  }
}

/** Was there no room? */
export const isFull = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "SQLITE_FULL" || cause.code === "ENOSPC")

/** Do these words of SQLite's say that the file is no (whole) database? */
export const isDamage = (words: string): boolean => /malformed|not a database|corrupt|damaged/i.test(words)

/** What to do then. */
export const damaged = "It is damaged: stop the agent, keep the file, and put back the last backup."

export const asSqlError = (cause: unknown): SqlError.SqlError =>
  new SqlError.SqlError({ cause, message: "Failed to execute statement" })
