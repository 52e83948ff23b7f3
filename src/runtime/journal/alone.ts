/**
 * One agent at a time on a data directory. Two would take each resource's lease from the other while its call is on the wire, and make things twice:
 * what a lease keeps out is what is written, not what has been sent.
 *
 * The lock is one of SQLite's, on a file of its own: Node has none, the journal's is for writers of a moment, and the system gives it back
 * with the process, however that ends (docs/decisions/0081-one-agent-on-a-data-directory.md).
 */
import { chmodSync, chownSync, closeSync, mkdirSync, openSync, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { Effect, Layer } from "effect"
import Libsql from "libsql"
import { fileOf, type Place } from "../database/place.js"
import { inTheWay } from "../database/whose.js"
import { DatabaseUnusable } from "./unusable.js"

const fileName = "agent.lock"

/** Someone has it. */
const isBusy = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "SQLITE_BUSY"

/** Made before SQLite does, so that it has its mode; and, where root tries something by hand, its owner. */
const makeFile = (dataDir: string): string => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, fileName)
  closeSync(openSync(path, "a", 0o600))
  if (process.getuid?.() === 0) {
    const { gid, uid } = statSync(dataDir)
    chownSync(path, uid, gid)
  }
  chmodSync(path, 0o600)
  return path
}

const take = (dataDir: string): Libsql.Database => {
  const lock = new Libsql(makeFile(dataDir))
  try {
    // Whoever comes after the one that ends looks again by itself. And nothing is ever written into it: it needs no room on the disk.
    for (const setting of ["busy_timeout = 0", "journal_mode = MEMORY"]) lock.prepare(`PRAGMA ${setting}`).all()
    lock.prepare("BEGIN EXCLUSIVE").run()
    return lock
  } catch (cause) {
    lock.close()
    throw cause
  }
}

/** By its transaction: closed alone, the driver keeps the file, and the lock, until its statements are collected. */
const giveUp = (lock: Libsql.Database): void => {
  lock.prepare("ROLLBACK").run()
  lock.close()
}

/** Holds the data directory until the scope closes, or the process ends. Of a PostgreSQL nothing: its processes know of each other. */
export const alone = (place: Place): Layer.Layer<never, DatabaseUnusable> =>
  typeof place !== "string"
    ? Layer.empty
    : Layer.scopedDiscard(
        Effect.acquireRelease(
          Effect.try({
            try: () => take(place),
            catch: (cause) => unusable(place, cause)
          }),
          (lock) => Effect.sync(() => giveUp(lock))
        )
      )

const unusable = (dataDir: string, cause: unknown): DatabaseUnusable =>
  isBusy(cause)
    ? new DatabaseUnusable({
        path: resolve(fileOf(dataDir)),
        reason: "another agent works on it",
        hint: "This one begins when that one has ended. Or give it a --data-dir of its own, if its offerings are others.",
        passing: true
      })
    : new DatabaseUnusable({
        path: resolve(dataDir, fileName),
        ...inTheWay(dataDir, cause)
      })
