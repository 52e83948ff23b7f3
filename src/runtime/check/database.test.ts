import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted } from "effect"
import { database } from "../../../test/support/postgres.js"
import { accepted, file } from "../config/harness.js"
import * as Database from "../journal/database.js"
import { migrations } from "../journal/migrations.js"
import { Postgres } from "../journal/place.js"
import { databaseFindings } from "./database.js"

const findings = (place: Postgres) =>
  Effect.flatMap(
    Effect.promise(() => accepted(file())),
    (config) => databaseFindings({ ...config, database: Option.some(place) })
  )

describe("the check of the journal's PostgreSQL", () => {
  it.scopedLive("says which it is, before its first start and after it", () =>
    Effect.gen(function* () {
      const { place } = yield* database()
      const fresh = yield* findings(place)
      expect(fresh).toMatchObject([{ subject: "database", status: "ok" }])
      expect(fresh[0]?.detail).toMatch(/^postgres:\/\/127.0.0.1:\d+\/postgres: PostgreSQL 1\d.* no tables yet/)
      yield* Layer.build(Layer.provide(Database.layer(place), NodeContext.layer))
      expect((yield* findings(place))[0]?.detail).toContain(`tables of version ${migrations.length}`)
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
        { status: "warning", detail: expect.stringContaining("Set it to on for this database.") }
      ])
      expect(yield* told(() => undefined, 99)).toMatchObject([
        { status: "ok" },
        { status: "warning", detail: expect.stringContaining("database_connections") }
      ])
      yield* Effect.acquireRelease(query("CREATE ROLE reader LOGIN"), () => query("DROP ROLE reader"))
      const reader = yield* told((url) => {
        url.username = "reader"
      })
      expect(reader).toMatchObject([{ status: "failed", detail: expect.stringContaining("GRANT CREATE") }])
    })
  )
})
