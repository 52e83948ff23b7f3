/**
 * The database file: embedded libSQL under the data directory, readable by its owner only.
 *
 * `synchronous=FULL`: an entry that was acknowledged survives a power cut; the promise of the journal rests on it.
 */

import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { SqlClient } from "@effect/sql"
import { Data, Effect, Layer } from "effect"
import * as Connection from "./connection.js"
import { migrations } from "./migrations.js"
import { straight } from "./sql.js"

/** The data directory or the database in it cannot be used. */
export class DatabaseUnusable extends Data.TaggedError("DatabaseUnusable")<{
  readonly path: string
  readonly reason: string
  readonly hint: string
}> {
  override get message(): string {
    return `The database ${this.path} cannot be used: ${this.reason}. ${this.hint}`
  }
}

const migrate = (path: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const run = straight(sql)
    const [row] = yield* sql<{ readonly user_version: number }>`PRAGMA user_version`
    const version = row?.user_version ?? 0
    if (version > migrations.length) {
      return yield* new DatabaseUnusable({
        path,
        reason: `it was written by a newer version (schema ${version}, this one knows ${migrations.length})`,
        hint: "Run that version, or a newer one."
      })
    }
    for (const [index, statements] of migrations.entries()) {
      if (index < version) continue
      // One script, so that a crash in between leaves either all of it or nothing.
      const script = ["BEGIN IMMEDIATE", ...statements, `PRAGMA user_version = ${index + 1}`, "COMMIT"]
      for (const statement of script) yield* run(sql.unsafe(statement))
    }
  })

/** Settings and tables. `path`: for sentences. */
export const prepare = (path: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`PRAGMA journal_mode = WAL`
    yield* sql`PRAGMA synchronous = FULL`
    yield* migrate(path)
  }).pipe(
    Effect.catchTag("SqlError", (error) => {
      const cause = error.cause instanceof Error ? error.cause.message : String(error.cause)
      return new DatabaseUnusable({
        path,
        reason: cause,
        hint: /malformed|not a database|corrupt/i.test(cause)
          ? "It is damaged: stop the agent, keep the file, and put back the last backup."
          : "Check that the disk has room, and that no other agent runs on this data directory."
      })
    })
  )

/** The database in `dataDir`, made if it is not there yet (directory 0700, files 0600), with its tables up to date. */
export const layer = (
  dataDir: string
): Layer.Layer<SqlClient.SqlClient, DatabaseUnusable, FileSystem.FileSystem | Path.Path> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = (yield* Path.Path).resolve(dataDir, "journal.db")
      yield* fs.makeDirectory(dataDir, { recursive: true, mode: 0o700 }).pipe(
        Effect.zipRight(fs.chmod(dataDir, 0o700)),
        // The file is made first, with its mode: the -wal and -shm files beside it take theirs from it.
        Effect.zipRight(fs.writeFile(path, new Uint8Array(), { flag: "a", mode: 0o600 })),
        Effect.zipRight(fs.chmod(path, 0o600)),
        // Those that an earlier process left may have been made with wider rights.
        Effect.zipRight(
          Effect.forEach([`${path}-wal`, `${path}-shm`], (beside) =>
            // Gone or somebody else's: the directory keeps others out.
            Effect.ignore(fs.chmod(beside, 0o600))
          )
        ),
        Effect.mapError(
          (error) => new DatabaseUnusable({ path, reason: error.message, hint: "Choose another --data-dir." })
        )
      )
      return Layer.effectDiscard(prepare(path)).pipe(Layer.provideMerge(Connection.layer(`file:${path}`)))
    })
  ).pipe(Layer.catchAll((error) => Layer.fail(asUnusable(dataDir, error))))

const asUnusable = (path: string, error: unknown): DatabaseUnusable =>
  error instanceof DatabaseUnusable
    ? error
    : new DatabaseUnusable({ path, reason: String(error), hint: "Check the data directory." })
