import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { LibsqlClient } from "@effect/sql-libsql"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Redacted, TestClock } from "effect"
import { databases, within } from "../../../test/support/databases.js"
import { inDirectory, lived, opened, order, resource } from "../../../test/support/journals.js"
import { database } from "../../../test/support/postgres.js"
import { wholeOrder } from "../../core/index.js"
import { type Place, Postgres } from "../database/place.js"
import * as Database from "./database.js"
import { Journal } from "./journal.js"
import { forget } from "./retention.js"
import { type Migration, migrations, statementsFor } from "./tables/migrations.js"

describe("a database of an earlier version", () => {
  it.effect("gets what has been added since, and keeps what is in it", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          for (const statement of migrations.slice(0, 1).flatMap((one) => statementsFor("sqlite", one))) {
            yield* sql.unsafe(statement)
          }
          yield* sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
            VALUES (${order(1)}, ${resource(1)}, 1, ${wholeOrder}, 'accepted', 1, '{"offering":"f"}')`
          yield* sql`PRAGMA user_version = 1`
        }).pipe(Effect.provide(LibsqlClient.layer({ url: `file:${join(directory, "journal.db")}` })))
        yield* opened(
          directory,
          Effect.gen(function* () {
            const sql = yield* SqlClient.SqlClient
            expect((yield* (yield* Journal).openOrders).map((open) => open.order)).toEqual([order(1)])
            expect(yield* sql`SELECT * FROM request`).toEqual([])
            expect(yield* sql`PRAGMA user_version`).toEqual([{ user_version: migrations.length }])
          })
        )
      })
    )
  )

  it.effect("is refused if it is of a later version, with what to do", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        yield* opened(
          directory,
          Effect.flatMap(SqlClient.SqlClient, (sql) => sql`PRAGMA user_version = 99`)
        )
        const error = yield* Effect.flip(opened(directory, Effect.void))
        expect(error).toMatchObject({ _tag: "DatabaseUnusable", hint: "Run that version, or a newer one." })
      })
    )
  )
})

describe("a file of that name that another program made", () => {
  it.effect.each([0, 1, 99])("is refused, and gets no tables, whatever version it says (%d)", (version) =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const theirs = LibsqlClient.layer({ url: `file:${join(directory, "journal.db")}` })
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`CREATE TABLE diary (day TEXT)`
          yield* sql.unsafe(`PRAGMA user_version = ${version}`)
        }).pipe(Effect.provide(theirs))
        const error = yield* Effect.flip(opened(directory, Effect.void))
        expect(error.message).toContain(
          "it is a database of another program, and no journal. Name the agent's data directory"
        )
        const tables = yield* Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`SELECT name FROM sqlite_master WHERE type = 'table'`
        ).pipe(Effect.provide(theirs))
        expect(tables).toEqual([{ name: "diary" }])
      })
    )
  )
})

describe.each(databases)("a program of before, on what a newer one has made of %s", (_, fresh) => {
  const later = (oldest: number): ReadonlyArray<Migration> => [
    ...migrations,
    {
      oldest,
      statements: ["ALTER TABLE lease ADD COLUMN place TEXT", "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT"]
    }
  ]
  const withMigrations = (place: Place, list: ReadonlyArray<Migration>) =>
    Effect.scoped(Layer.build(Layer.provide(Database.layer(place, list), NodeContext.layer)))

  it.effect("goes on, where that only added something", () =>
    within(fresh, (place) =>
      Effect.gen(function* () {
        yield* opened(place, lived(1, resource(1), "Create"))
        yield* withMigrations(place, later(migrations.length))
        yield* opened(
          place,
          Effect.gen(function* () {
            yield* lived(2, resource(2), "Create", "done")
            yield* lived(3, resource(2), "Terminate", "done")
            expect((yield* (yield* Journal).openOrders).map((open) => open.order)).toEqual([order(1)])
            yield* TestClock.adjust("91 days")
            expect(yield* forget(Duration.days(90))).toBe(2)
          })
        )
        // And the newer one after it.
        yield* withMigrations(place, later(migrations.length))
      })
    )
  )

  it.effect("is refused, where it would do harm, with what to do", () =>
    within(fresh, (place) =>
      Effect.gen(function* () {
        yield* withMigrations(place, later(migrations.length + 1))
        const error = yield* Effect.flip(opened(place, Effect.void))
        expect(error).toMatchObject({ _tag: "DatabaseUnusable", hint: "Run that version, or a newer one." })
      })
    )
  )
})

describe("a migration", () => {
  it.scopedLive("takes its time in a PostgreSQL, whatever limit somebody has set for statements there", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(2)
      const url = new URL(Redacted.value(place.url))
      const own = url.searchParams.get("options")
      url.searchParams.set("options", `${own} -c statement_timeout=1500 -c idle_in_transaction_session_timeout=0`)
      const limits =
        "DO $$ BEGIN CREATE TABLE at AS SELECT current_setting('idle_in_transaction_session_timeout') AS idle; END $$"
      const slow = ["SELECT pg_sleep(2)", limits].map((postgres) => ({ postgres }))
      const limited = new Postgres({ ...place, url: Redacted.make(url.href) })
      yield* Layer.build(
        Layer.provide(Database.layer(limited, [...migrations, { oldest: 1, statements: slow }]), NodeContext.layer)
      )
      // A machine that is gone in the middle of it does not lock the tables for hours.
      expect(yield* query("SELECT idle FROM at")).toEqual([{ idle: "1min" }])
    })
  )

  /** What programs of before do not notice. */
  const additions = [
    /^CREATE TABLE/,
    /^CREATE INDEX/,
    /^CREATE FUNCTION/,
    /^ALTER TABLE \w+ ADD COLUMN \w+ (TEXT|INTEGER|REAL)( COLLATE "C")?( NOT NULL DEFAULT \S+)?$/
  ]
  const ofSeveralProcesses = 7
  const others = migrations.flatMap(({ oldest, ...rest }, index) =>
    index + 1 < ofSeveralProcesses || oldest > index
      ? []
      : statementsFor("sqlite", { oldest, ...rest })
          .concat(statementsFor("postgres", { oldest, ...rest }).map((text) => text.replaceAll("BIGINT", "INTEGER")))
          .filter((statement) => !additions.some((addition) => addition.test(statement)))
  )
  // What each connection asks of the database, whichever version it is of: whether that is still the one that it was.
  const home = /^(CREATE OR REPLACE FUNCTION (whereabouts|came_home)\(|UPDATE home SET here = )/
  // Of a file, which belongs to one process at a time: the same rows, by other statements (`known.test.ts`).
  const triggers = /^(DROP|CREATE) TRIGGER journal_known/

  it("only adds what programs of before do not notice, or says that it is too much for them (`oldest`)", () => {
    expect(others.filter((statement) => !triggers.test(statement) && !home.test(statement))).toEqual([])
  })

  it("needs no program that is newer than itself, and none that is older than another needs", () => {
    const needed = migrations.map(({ oldest }) => oldest)
    expect(needed.every((oldest, index) => oldest <= index + 1)).toBe(true)
    expect(needed).toEqual(needed.toSorted((a, b) => a - b))
  })
})
