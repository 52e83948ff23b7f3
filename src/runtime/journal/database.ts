/**
 * The database of the journal: embedded libSQL in a file under the data directory, readable by its owner only; or a PostgreSQL.
 *
 * As SQLite's `synchronous=FULL` (`database/file/file.ts`), and PostgreSQL's `synchronous_commit`, which is on unless somebody has switched it off: an entry that
 * was acknowledged survives a power cut; the promise of the journal rests on it. What need not (`Commit`) is not waited for in the file.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { SqlClient } from "@effect/sql"
import { Effect, Layer, Option } from "effect"
import * as Connection from "../database/file/connection.js"
import { asSqlError, isFull, writeLogAgain } from "../database/file/file.js"
import { fileOf, movedFrom, type Place, type Postgres } from "../database/place.js"
import * as PostgresConnection from "../database/postgres.js"
import { reasonOf } from "../database/sql.js"
import { inTheWay } from "../database/whose.js"
import { prepareFile, roomForOne } from "./tables/in-file.js"
import { mayWrite, preparePostgres } from "./tables/in-postgres.js"
import { migrations as known, type Migration } from "./tables/migrations.js"
import { DatabaseUnusable, unusable } from "./unusable.js"

/**
 * The database, made if it is not there yet (a data directory 0700, files 0600; in PostgreSQL the tables alone), with its tables up to date.
 */
export const layer = (
  place: Place,
  migrations: ReadonlyArray<Migration> = known
): Layer.Layer<SqlClient.SqlClient, DatabaseUnusable, FileSystem.FileSystem | Path.Path> =>
  typeof place === "string" ? fileIn(place, migrations) : inPostgres(place, migrations)

const inPostgres = (place: Postgres, migrations: ReadonlyArray<Migration>) =>
  Layer.provideMerge(
    // The first connection, for its answer to come before anything else does.
    Layer.effectDiscard(
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT 1`).pipe(
        Effect.catchTag("SqlError", (error) => unusable(place, error))
      )
    ),
    Layer.unwrapEffect(Effect.as(preparePostgres(place, migrations), PostgresConnection.layer(place)))
  )

const fileIn = (
  dataDir: string,
  migrations: ReadonlyArray<Migration>
): Layer.Layer<SqlClient.SqlClient, DatabaseUnusable, FileSystem.FileSystem | Path.Path> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = (yield* Path.Path).resolve(fileOf(dataDir))
      const before = yield* Effect.option(fs.stat(path))
      if (Option.isNone(before) && (yield* Effect.orElseSucceed(fs.exists(movedFrom(path)), () => false))) {
        return yield* new DatabaseUnusable({
          path,
          reason: `the journal was moved from it into a PostgreSQL, and the file is kept as ${movedFrom(path)}`,
          hint: "Name that PostgreSQL by `database` in the configuration. To begin here all the same, with nothing of what was done, put the kept file elsewhere."
        })
      }
      if (Option.exists(before, ({ size }) => Number(size) === 0)) {
        yield* Effect.logWarning(
          `The journal ${path} is an empty file: it begins from nothing. If a backup was put back, it did not come whole: stop the agent, and put it back again`
        )
      }
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
          (error) =>
            new DatabaseUnusable({
              path,
              ...inTheWay(dataDir, error)
            })
        )
      )
      return Layer.effectDiscard(prepareFile(path, migrations)).pipe(
        Layer.provideMerge(Connection.layer(`file:${path}`))
      )
    })
  ).pipe(Layer.catchAll((error) => Layer.fail(asUnusable(dataDir, error))))

const asUnusable = (path: string, error: unknown): DatabaseUnusable =>
  error instanceof DatabaseUnusable
    ? error
    : new DatabaseUnusable({ path, reason: String(error), hint: "Check the data directory." })

/**
 * For an agent's start. A PostgreSQL that takes no writes may be read all the same, by the commands that look; and what an earlier process wrote
 * into the file's log is on the disk when it rests on it.
 */
export const assertWritable = (place: Place): Effect.Effect<void, DatabaseUnusable, SqlClient.SqlClient | Path.Path> =>
  typeof place === "string"
    ? Effect.flatMap(Path.Path, ({ resolve }) => {
        const path = resolve(fileOf(place))
        return Effect.try({
          try: () => writeLogAgain(path),
          catch: (cause) =>
            new DatabaseUnusable({
              path,
              reason: reasonOf(asSqlError(cause)),
              hint: roomForOne,
              passing: isFull(cause)
            })
        })
      })
    : Effect.catchTag(mayWrite, "SqlError", (error) => unusable(place, error))
