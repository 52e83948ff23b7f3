import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { layer } from "./connection.js"

/** Two processes' connections to one file with a table in it. */
const twoConnections = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-connection-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
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
})
