import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Logger, Redacted } from "effect"
import { database } from "../../../test/support/postgres.js"
import { Postgres } from "./place.js"
import { bare } from "./postgres.js"
import { together } from "./sql.js"

describe("where a server has no connection left", () => {
  it.scopedLive("those that are open have to do: everybody has a turn, and it is said once", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(5)
      const role = `limited_${process.pid}`
      yield* Effect.acquireRelease(query(`CREATE ROLE ${role} LOGIN CONNECTION LIMIT 2`), () =>
        query(`DROP ROLE ${role}`)
      )
      const url = new URL(Redacted.value(place.url))
      url.username = role
      const said: string[] = []
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const statements = Array.makeBy(12, () => sql`SELECT pg_sleep(0.02)`)
        yield* Effect.all([...statements, together(sql, sql`SELECT 1`)], { concurrency: "unbounded" })
      }).pipe(
        Effect.provide(bare(new Postgres({ url: Redacted.make(url.href), connections: 8 }))),
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.make(({ message }) => said.push(Array.ensure(message).join(" ")))
          )
        )
      )
      expect(said).toEqual([expect.stringContaining("fewer than the 8 connections that it may have")])
    })
  )
})
