import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { database } from "../../../test/support/postgres.js"
import { accepted, file } from "../config/harness.js"
import { Postgres } from "../database/place.js"
import * as Database from "../journal/database.js"
import { migrations } from "../journal/tables/migrations.js"
import { databaseFindings } from "./database.js"

const findings = (place: Postgres) =>
  Effect.flatMap(
    Effect.promise(() => accepted(file())),
    (config) => databaseFindings({ ...config, database: Option.some(place) })
  )

describe("the check of the journal's PostgreSQL", () => {
  it.scopedLive("says which it is, before its first start and after it", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database()
      const fresh = yield* findings(place)
      // The server of the tests is as fast as it goes.
      expect(fresh).toMatchObject([
        { subject: "database", status: "ok" },
        { status: "warning", detail: expect.stringContaining("fsync is off there") }
      ])
      expect(fresh[0]?.detail).toMatch(/^postgres:\/\/127.0.0.1:\d+\/postgres: PostgreSQL 1\d.* no tables yet/)
      yield* Layer.build(Layer.provide(Database.layer(place), NodeContext.layer))
      expect((yield* findings(place))[0]?.detail).toContain(`tables of version ${migrations.length}`)
      yield* query("INSERT INTO schema_version (version, oldest, at) VALUES (999, 998, 0)")
      expect(yield* findings(place)).toMatchObject([
        { status: "failed", detail: expect.stringContaining("changed by a newer version (tables of version 999") }
      ])
    })
  )

  it.scopedLive("names what would go wrong, each with what to do", () =>
    Effect.gen(function* () {
      const { password, place, query } = yield* database()
      const told = (change: (url: URL) => void, connections = 10) =>
        Effect.suspend(() => {
          const url = new URL(Redacted.value(place.url))
          change(url)
          return findings(new Postgres({ url: Redacted.make(url.href), connections }))
        })
      const options = (url: URL, more: string) =>
        url.searchParams.set("options", `${url.searchParams.get("options")} -c ${more}`)
      const away = yield* told((url) => {
        url.port = "1"
      })
      expect(away).toMatchObject([{ status: "failed" }])
      expect(away[0]?.detail).toMatch(/ECONNREFUSED .* Check that PostgreSQL runs there/)
      expect(away[0]?.detail).not.toContain(password)
      expect(yield* told((url) => options(url, "synchronous_commit=off"))).toMatchObject([
        { status: "ok" },
        { detail: expect.stringContaining("fsync") },
        { status: "warning", detail: expect.stringContaining("Set it to on for this database.") }
      ])
      expect(yield* told(() => undefined, 99)).toMatchObject([
        { status: "ok" },
        { detail: expect.stringContaining("fsync") },
        { status: "warning", detail: expect.stringContaining("database_connections") }
      ])
      yield* Effect.acquireRelease(query("CREATE ROLE reader LOGIN"), () => query("DROP ROLE reader"))
      const reader = yield* told((url) => {
        url.username = "reader"
      })
      expect(reader).toMatchObject([{ status: "failed", detail: expect.stringContaining("GRANT CREATE") }])
      yield* query("CREATE TABLE lease (resource_id TEXT)")
      yield* Effect.acquireRelease(
        query("DO $$ BEGIN EXECUTE 'GRANT CREATE, USAGE ON SCHEMA ' || current_schema() || ' TO reader'; END $$"),
        () => query("DO $$ BEGIN EXECUTE 'REVOKE ALL ON SCHEMA ' || current_schema() || ' FROM reader'; END $$")
      )
      const restored = yield* told((url) => {
        url.username = "reader"
      })
      expect(restored).toMatchObject([{ status: "failed", detail: expect.stringContaining("the table lease: ALTER") }])
    })
  )
})
