/** The tables of a PostgreSQL, brought up to date by one process at a time. */
import { SqlClient, SqlError } from "@effect/sql"
import { Clock, Duration, Effect } from "effect"
import { forPostgres } from "../../database/dialect.js"
import type { Postgres } from "../../database/place.js"
import * as PostgresConnection from "../../database/postgres.js"
import { together } from "../../database/sql.js"
import { type DatabaseUnusable, unusable } from "../unusable.js"
import { entryOf, mayWork, newest } from "./ledger.js"
import { ledger, locks, type Migration, statementsFor } from "./migrations.js"

/** Is there a journal in it? */
export const isJournalIn = (place: Postgres): Effect.Effect<boolean, DatabaseUnusable> =>
  hasTables.pipe(
    Effect.catchTag("SqlError", (error) => unusable(place, error)),
    Effect.provide(PostgresConnection.bare(place))
  )

/** Has anything been made there? */
export const hasTables: Effect.Effect<boolean, SqlError.SqlError, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ readonly there: number }>`
    SELECT CASE WHEN to_regclass('schema_version') IS NULL THEN 0 ELSE 1 END AS there`
  return row?.there === 1
})

/**
 * A pooler may refuse transactions, and end the connection with it: by that alone nobody could tell. And a server that only follows another one
 * is there all the same, which would be noticed late.
 */
export const mayWrite = Effect.flatMap(SqlClient.SqlClient, (sql) =>
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
        // What somebody has set for the server's usual statements, this may take longer than. And of a machine that is gone in the middle of it the
        // server hears nothing for hours, while all these tables are locked.
        yield* sql.unsafe(
          "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
        )
        yield* sql.unsafe("SET LOCAL idle_in_transaction_session_timeout = '1min'")
        // One that makes the tables may take its time, or stand still: after a minute of silence the server lets go of what it holds.
        yield* sql.unsafe("SET LOCAL lock_timeout = '2min'")
        yield* sql.unsafe(`SELECT pg_advisory_xact_lock(${locks.migration}, 0)`)
        // Behind somebody who holds a table for long, everybody else who wants it would have to wait as well.
        yield* sql.unsafe("SET LOCAL lock_timeout = '10s'")
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

export const preparePostgres = (place: Postgres, migrations: ReadonlyArray<Migration>) =>
  migratePostgres(place.name, migrations).pipe(
    Effect.catchTag("SqlError", (error) => unusable(place, error)),
    Effect.provide(PostgresConnection.bare(place, forMigrations))
  )
