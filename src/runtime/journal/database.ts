/**
 * The database of the journal: embedded libSQL in a file under the data directory, readable by its owner only; or a PostgreSQL.
 *
 * As SQLite's `synchronous=FULL` (`database/file/file.ts`), and PostgreSQL's `synchronous_commit`, which is on unless somebody has switched it off: an entry that
 * was acknowledged survives a power cut; the promise of the journal rests on it. What need not (`Commit`) is not waited for in the file.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { SqlClient, type SqlConnection, SqlError } from "@effect/sql"
import { Clock, Data, Duration, Effect, Layer, Option } from "effect"
import { forPostgres } from "../database/dialect.js"
import * as Connection from "../database/file/connection.js"
import { asSqlError, damaged, isDamage, isFull, writeLogAgain } from "../database/file/file.js"
import { fileOf, movedFrom, type Place, type Postgres } from "../database/place.js"
import * as PostgresConnection from "../database/postgres.js"
import { hintFor, mayPass } from "../database/sayings.js"
import { reasonOf, straight, together } from "../database/sql.js"
import { inTheWay } from "../database/whose.js"
import { migrations as known, ledger, locks, type Migration, statementsFor } from "./migrations.js"

/** The data directory or the database in it cannot be used. */
export class DatabaseUnusable extends Data.TaggedError("DatabaseUnusable")<{
  readonly path: string
  readonly reason: string
  readonly hint: string
  /** It may be mended by time, or where the database is: nothing has to be changed here. */
  readonly passing?: boolean
}> {
  override get message(): string {
    return `The database ${this.path} cannot be used: ${this.reason}. ${this.hint}`
  }
}

/** What the database has had: the version of its tables, and the oldest one whose programs still work on it. */
interface Had {
  readonly version: number
  readonly oldest: number
}

/** May a program that knows these migrations work on it? */
const mayWork = (path: string, had: Had, migrations: ReadonlyArray<Migration>) =>
  had.oldest > migrations.length
    ? new DatabaseUnusable({
        path,
        reason: `it was changed by a newer version (tables of version ${had.version}, which need a program of ${had.oldest}; this one is of ${migrations.length})`,
        hint: "Run that version, or a newer one."
      })
    : Effect.void

const newest = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<Had>`SELECT version, oldest FROM schema_version ORDER BY version DESC LIMIT 1`, ([had]) => had)

/** The version whose migration made the ledger. */
const firstInLedger = 7

/** Of every version it has the journal's table; one that nothing has been made in yet has none at all. */
const assertOurs = (path: string, version: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const tables = yield* sql<{ readonly name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
    if (version === 0 ? tables.length === 0 : tables.some(({ name }) => name === "journal")) return
    return yield* new DatabaseUnusable({
      path,
      reason: "it is a database of another program, and no journal",
      hint: "Name the agent's data directory (--data-dir, or data_dir in the configuration), or move that file away."
    })
  })

const migrateFile = (path: string, migrations: ReadonlyArray<Migration>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const run = straight(sql)
    const [row] = yield* sql<{ readonly user_version: number }>`PRAGMA user_version`
    const version = row?.user_version ?? 0
    yield* assertOurs(path, version)
    if (version > migrations.length) {
      const had = yield* newest(sql).pipe(Effect.orElseSucceed(() => undefined))
      yield* mayWork(path, had?.version === version ? had : { version, oldest: version }, migrations)
    }
    if (version >= migrations.length) return
    const at = yield* Clock.currentTimeMillis
    const steps = migrations.flatMap((migration, index) => {
      if (index < version) return []
      const own = statementsFor("sqlite", migration)
      return index + 1 < firstInLedger ? own : [...own, entryOf(index + 1, migration, at)]
    })
    // One script, so that a crash in between leaves either all of it or nothing; and the disk is waited for once.
    const script = ["BEGIN IMMEDIATE", ...steps, `PRAGMA user_version = ${migrations.length}`, "COMMIT"]
    for (const statement of script) yield* run(sql.unsafe(statement))
  })

const entryOf = (version: number, { oldest }: Migration, at: number): string =>
  `INSERT INTO schema_version (version, oldest, at) VALUES (${version}, ${oldest}, ${at})`

const roomForOne = "Check that the disk has room, and that no other agent runs on this data directory."

/** The tables of a file. `path`: for sentences. */
export const prepareFile = (path: string, migrations: ReadonlyArray<Migration> = known) =>
  migrateFile(path, migrations).pipe(
    Effect.catchTag("SqlError", (error) => {
      const cause = reasonOf(error)
      return new DatabaseUnusable({
        path,
        reason: cause,
        hint: isDamage(cause) ? damaged : roomForOne,
        passing: isFull(error.cause)
      })
    })
  )

/** Is there a journal in it? */
export const isThere = (place: Postgres): Effect.Effect<boolean, DatabaseUnusable> =>
  hasTables.pipe(
    Effect.catchTag("SqlError", (error) => unusable(place, error)),
    Effect.provide(PostgresConnection.bare(place))
  )

const hasTables: Effect.Effect<boolean, SqlError.SqlError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly there: number }>`
    SELECT CASE WHEN to_regclass('schema_version') IS NULL THEN 0 ELSE 1 END AS there`
  return row?.there === 1
})

/**
 * A pooler may refuse transactions, and end the connection with it: by that alone nobody could tell. And a server that only follows another one
 * is there all the same, which would be noticed late.
 */
const mayWrite = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.gen(function* () {
    const one = yield* sql.reserve
    yield* one.executeRaw("BEGIN", [])
    const [row] = yield* one.executeValues("SELECT current_setting('transaction_read_only')", [])
    yield* one.executeRaw("COMMIT", [])
    if (row?.[0] !== "on") return
    const cause = new PostgresConnection.PostgresSays({ code: "25006", message: "it takes no writes" })
    return yield* new SqlError.SqlError({ cause, message: cause.message })
  }).pipe(Effect.scoped)
)

/** All that is missing in one transaction, by one process at a time: others wait, and find it done. */
const migratePostgres = (path: string, migrations: ReadonlyArray<Migration>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const before = (yield* hasTables) ? yield* newest(sql) : undefined
    if (before !== undefined) yield* mayWork(path, before, migrations)
    if (before !== undefined && before.version >= migrations.length) return
    yield* mayWrite
    const at = yield* Clock.currentTimeMillis
    yield* together(
      sql,
      Effect.gen(function* () {
        // Behind somebody who holds a table for long, everybody else who wants it would have to wait as well.
        yield* sql.unsafe("SET LOCAL lock_timeout = '10s'")
        yield* sql.unsafe(`SELECT pg_advisory_xact_lock(${locks.migration}, 0)`)
        yield* sql.unsafe(forPostgres(ledger))
        const had = (yield* newest(sql))?.version ?? 0
        for (const [index, migration] of migrations.entries()) {
          if (index < had) continue
          for (const statement of statementsFor("postgres", migration)) yield* sql.unsafe(statement)
          yield* sql.unsafe(entryOf(index + 1, migration, at))
        }
      })
    )
  })

/** An index over a large journal takes its time. */
const forMigrations = Duration.hours(1)

/** Tables of a PostgreSQL. */
const preparePostgres = (place: Postgres, migrations: ReadonlyArray<Migration>) =>
  migratePostgres(place.name, migrations).pipe(
    Effect.catchTag("SqlError", (error) => unusable(place, error)),
    Effect.provide(PostgresConnection.bare(place, forMigrations))
  )

export interface DatabaseFacts {
  /** "18.4" */
  readonly server: string
  /** May this user make tables? */
  readonly makes: number
  /** A table there that this user may not read and write. */
  readonly closed: string | null
  /** `fsync` and `synchronous_commit`, and how many connections it takes in all. */
  readonly fsync: string
  readonly commits: string
  readonly connections: number
  /** Of the tables; none: there are none yet. */
  readonly version: number | null
  /** A pooler hands the server's connections out anew for each transaction. */
  readonly pooled: boolean
}

/** Two that are connected at a time, and are answered by one and the same: it is handed out anew for each transaction. */
const isPooled = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.gen(function* () {
    const [one, other] = yield* Effect.all([sql.reserve, sql.reserve])
    const server = (at: SqlConnection.Connection) =>
      Effect.map(at.executeValues("SELECT pg_backend_pid()", []), ([row]) => row?.[0])
    for (let look = 0; look < 3; look++) if ((yield* server(one)) === (yield* server(other))) return true
    return false
  }).pipe(Effect.scoped)
)

/** Only looks. Fails where a start would. */
export const lookAt = (place: Postgres): Effect.Effect<DatabaseFacts, DatabaseUnusable> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [facts] = yield* sql<Omit<DatabaseFacts, "version" | "pooled">>`
      SELECT split_part(current_setting('server_version'), ' ', 1) AS server,
        CASE WHEN has_schema_privilege(current_schema(), 'CREATE') THEN 1 ELSE 0 END AS makes,
        (SELECT min(relname) FROM pg_class WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind = 'r'
          AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
            AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))) AS closed,
        current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits,
        CAST(current_setting('max_connections') AS BIGINT) AS connections`
    const had = (yield* hasTables) ? yield* newest(sql) : undefined
    if (had !== undefined) yield* mayWork(place.name, had, known)
    if (facts === undefined) return yield* Effect.dieMessage("a SELECT of constants has no row")
    yield* mayWrite
    return { ...facts, version: had?.version ?? null, pooled: yield* isPooled }
  }).pipe(
    Effect.catchTag("SqlError", (error) => unusable(place, error)),
    Effect.provide(PostgresConnection.bare(place))
  )

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

/** What a failed statement means for whoever wanted to use the database; `hint`: for what no PostgreSQL has said. */
export const unusableBy = (path: string, error: SqlError.SqlError, hint: string): DatabaseUnusable => {
  const said = error.cause instanceof PostgresConnection.PostgresSays ? error.cause : undefined
  return new DatabaseUnusable({
    path,
    reason: reasonOf(error),
    hint: said === undefined ? hint : hintFor(said),
    passing: said !== undefined && mayPass(said)
  })
}

const unusable = (place: Postgres, error: SqlError.SqlError): DatabaseUnusable =>
  unusableBy(place.name, error, "Check that PostgreSQL runs there, and see its log.")

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
