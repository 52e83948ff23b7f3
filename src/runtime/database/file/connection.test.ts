import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { layer } from "./connection.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-connection-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

/** Two processes' connections to one file with a table in it. */
const twoConnections = Effect.gen(function* () {
  const directory = yield* temporary
  const open = Effect.map(Layer.build(layer(`file:${join(directory, "journal.db")}`)), (context) =>
    Context.get(context, SqlClient.SqlClient)
  )
  const [ours, others] = [yield* open, yield* open]
  yield* ours`CREATE TABLE entry (id INTEGER)`
  return { ours, others }
})

describe("the connection to the journal's file", () => {
  for (const [kind, insert] of [
    ["an insert", "INSERT INTO entry VALUES (1)"],
    ["an insert that returns rows", "INSERT INTO entry VALUES (1) RETURNING id"]
  ] as const) {
    it.scopedLive(`after ${kind} that found the file locked, writes for all to see, and keeps no lock`, () =>
      Effect.gen(function* () {
        const { ours, others } = yield* twoConnections
        yield* others`BEGIN IMMEDIATE`
        const refused = yield* Effect.flip(ours.unsafe(insert))
        expect(String(refused.cause)).toContain("database is locked")
        yield* others`ROLLBACK`

        yield* ours`INSERT INTO entry VALUES (2) RETURNING id`
        expect(yield* others`SELECT id FROM entry`).toEqual([{ id: 2 }])
        yield* others`INSERT INTO entry VALUES (3)`
        expect(yield* ours`SELECT count(*) AS count FROM entry`).toEqual([{ count: 2 }])
      })
    )
  }

  it.scopedLive("has its settings again after it was made anew", () =>
    Effect.gen(function* () {
      const { ours, others } = yield* twoConnections
      yield* others`BEGIN IMMEDIATE`
      yield* Effect.flip(ours`INSERT INTO entry VALUES (1)`)
      yield* others`ROLLBACK`
      expect(yield* ours`PRAGMA busy_timeout`).toEqual([{ timeout: 1000 }])
      expect(yield* ours`PRAGMA journal_mode`).toEqual([{ journal_mode: "wal" }])
    })
  )

  it.scopedLive("leaves everything in the file itself when it is closed", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const [path, copy] = [join(directory, "journal.db"), join(directory, "copy.db")]
      const within = (file: string) => Effect.provide(layer(`file:${file}`))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`PRAGMA journal_mode = WAL`
        yield* sql`CREATE TABLE entry (id INTEGER)`
        yield* sql`INSERT INTO entry VALUES (1)`
        expect(yield* sql`SELECT id FROM entry`).toEqual([{ id: 1 }])
      }).pipe(within(path))
      copyFileSync(path, copy)
      const entries = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT id FROM entry`)
      expect(yield* within(copy)(entries)).toEqual([{ id: 1 }])
    })
  )

  it.scopedLive("fails what was written when SQLite's log cannot be opened, and not the process", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const path = join(directory, "journal.db")
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        // Somebody has tidied up.
        yield* sql`SELECT count(*) FROM sqlite_schema`
        rmSync(`${path}-wal`)
        expect(String((yield* Effect.flip(sql`CREATE TABLE entry (id INTEGER)`)).cause)).toContain("ENOENT")
        yield* sql`CREATE TABLE IF NOT EXISTS entry (id INTEGER)`
        yield* sql`INSERT INTO entry VALUES (1)`
        expect(yield* sql`SELECT id FROM entry`).toEqual([{ id: 1 }])
      }).pipe(Effect.provide(layer(`file:${path}`)))
    })
  )
})
