/** The short rows that triggers keep, against what the entries themselves say. */
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { LibsqlClient } from "@effect/sql-libsql"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import fc from "fast-check"
import { databases, within } from "../../../test/support/databases.js"
import { wholeOrder } from "../../core/index.js"
import type { Place } from "../database/place.js"
import * as Database from "./database.js"
import { orders } from "./history.js"
import { migrations, statementsFor } from "./tables/migrations.js"

const inDirectory = <A, E>(use: (directory: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "site-actors-known-"))),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )
const opened = <A, E>(place: Place, use: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  use.pipe(Effect.provide(Database.layer(place).pipe(Layer.provide(NodeContext.layer))))

const order = (n: number) => String(n).padStart(32, "a")
const resource = (n: number) => String(n).padStart(32, "b")

let clock = 0
const write = (of: number, on: number, step: string, event: string, data?: unknown) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => {
    clock += 1
    const text = data === undefined ? null : JSON.stringify(data)
    return sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
      VALUES (${order(of)}, ${resource(on)}, 1, ${step}, ${event}, ${clock}, ${text})`
  })

const request = (type: string, on: number, name: string) => ({
  offering: "f".repeat(32),
  approve: true,
  request: {
    _tag: type,
    order: order(1),
    resource: {
      id: resource(on),
      name,
      slug: "",
      offering: "f".repeat(32),
      project: "e".repeat(32),
      projectName: "Project",
      backendId: "",
      backendMetadata: {}
    },
    pluginOptions: {},
    attributes: {},
    amounts: {},
    ...(type === "Update" ? { change: "limits" } : {})
  }
})

/** What can stand in a journal after an acceptance, in whatever order. */
const happenings: ReadonlyArray<readonly [string, string, unknown?]> = [
  ["group", "started"],
  ["group", "finished", 105],
  ["network", "started"],
  ["network", "interrupted", "The cloud is away."],
  ["group", "failed", "quota"],
  [wholeOrder, "failed", { customerMessage: "There is no room.", detail: "0x0400" }],
  ["group", "undoing"],
  ["group", "undone"],
  [wholeOrder, "undone"],
  [wholeOrder, "quarantined", "TypeError: x is not a function"],
  [wholeOrder, "resumed"]
]
const types = ["Create", "Update", "Terminate"] as const

const lives = fc.array(
  fc.record({
    type: fc.constantFrom(...types),
    on: fc.integer({ min: 1, max: 3 }),
    happened: fc.array(fc.constantFrom(...happenings), { maxLength: 8 }),
    end: fc.constantFrom("done", "erred", undefined)
  }),
  { minLength: 1, maxLength: 6 }
)

const writeLives = (all: typeof lives extends fc.Arbitrary<infer A> ? A : never) =>
  Effect.forEach(
    all,
    ({ type, on, happened, end }, index) =>
      Effect.gen(function* () {
        yield* write(index + 1, on, wholeOrder, "accepted", request(type, on, `name ${on}`))
        for (const [step, event, data] of happened) yield* write(index + 1, on, step, event, data)
        if (end !== undefined) yield* write(index + 1, on, wholeOrder, end)
      }),
    { discard: true }
  )

const known = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<{ readonly order: string }>`
    SELECT order_id AS "order", resource_id AS resource, name, type, offering, state, accepted AS since, last_at AS "lastAt", last
    FROM known_order ORDER BY order_id`
)
const resources = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) => sql<{ readonly resource: string; readonly life: string }>`
    SELECT resource_id AS resource, name, life FROM known_resource ORDER BY resource_id`
)
const byOrder = (one: { readonly order: string }, other: { readonly order: string }) =>
  one.order.localeCompare(other.order)

describe.each(databases)("what %s keeps of orders in short", (_, fresh) => {
  it.effect("is what their entries say, whatever happens to them", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const all = fc.sample(lives, { numRuns: 12, seed: 7 }).flat()
          yield* writeLives(all)
          expect((yield* known).length).toBe(all.length)
          expect(yield* known).toEqual((yield* orders(all.length)).toSorted(byOrder))
        })
      )
    )
  )

  it.effect("never stands in the way of an entry, also of one that makes no sense", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const odd = ["{", "[]", '{"offering":null}', '{"offering":{"a":1},"request":{"_tag":7,"resource":"x"}}', null]
          for (const [index, data] of odd.entries()) {
            for (const [step, event] of [
              [wholeOrder, "accepted"],
              [wholeOrder, "failed"],
              [wholeOrder, "quarantined"],
              ["x", "interrupted"]
            ]) {
              yield* sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
                VALUES (${order(index)}, ${resource(index)}, 1, ${step ?? ""}, ${event ?? ""}, 1, ${data})`
            }
          }
          expect((yield* sql`SELECT 1 FROM journal`).length).toBe(odd.length * 4)
          expect((yield* known).length).toBe(odd.length)
        })
      )
    )
  )
})

describe.each(databases)("what %s keeps of resources in short", (_, fresh) => {
  const look = (on: number, name: string) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (
        sql
      ) => sql`INSERT INTO observation VALUES (${resource(on)}, ${"f".repeat(32)}, ${name}, '105', 'OK', 'Running', 1,
        'active', '{}', 1, 0, 0) ON CONFLICT (resource_id) DO UPDATE SET name = excluded.name`
    )
  const life = (on: number) => Effect.map(resources, (all) => all.find((one) => one.resource === resource(on)))

  it.effect("follows its orders and the looks, from the first order until the journal has forgotten it", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* write(1, 1, wholeOrder, "accepted", request("Create", 1, "first"))
          expect(yield* life(1)).toMatchObject({ name: "first", life: "making" })
          yield* write(1, 1, wholeOrder, "done")
          yield* look(1, "renamed")
          yield* look(1, "again")
          expect(yield* life(1)).toMatchObject({ name: "again", life: "active" })
          yield* write(2, 1, wholeOrder, "accepted", request("Terminate", 1, "again"))
          // Waldur lists it as ending, so the look forgets it; only the order's end says that it is gone.
          yield* sql`DELETE FROM observation`
          expect(yield* life(1)).toMatchObject({ life: "active" })
          yield* write(2, 1, wholeOrder, "done")
          expect(yield* life(1)).toMatchObject({ life: "ended" })
          yield* sql`DELETE FROM journal WHERE order_id = ${order(1)}`
          expect(yield* life(1)).toMatchObject({ life: "ended" })
          yield* sql`DELETE FROM journal WHERE order_id = ${order(2)}`
          expect(yield* resources).toEqual([])
          expect(yield* known).toEqual([])
        })
      )
    )
  )

  it.effect("knows what was never made, and what somebody ended by hand", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* write(1, 1, wholeOrder, "accepted", request("Create", 1, "never"))
          yield* write(1, 1, wholeOrder, "erred")
          expect(yield* life(1)).toMatchObject({ life: "failed" })
          yield* look(2, "of the Python agent")
          expect(yield* life(2)).toMatchObject({ life: "active" })
          yield* write(2, 3, wholeOrder, "accepted", request("Create", 3, "by hand"))
          yield* write(2, 3, wholeOrder, "done")
          yield* look(3, "by hand")
          yield* sql`DELETE FROM observation`
          expect(yield* life(3)).toMatchObject({ life: "ended" })
          expect(yield* life(2)).toBeUndefined()
        })
      )
    )
  )
})

describe("what is kept of a file of an earlier version", () => {
  it.effect("is the same for a journal of an earlier version", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const all = fc.sample(lives, { numRuns: 5, seed: 11 }).flat()
        const database = LibsqlClient.layer({ url: `file:${join(directory, "journal.db")}` })
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          for (const statement of migrations.slice(0, 4).flatMap((one) => statementsFor("sqlite", one))) {
            yield* sql.unsafe(statement)
          }
          yield* sql`PRAGMA user_version = 4`
          yield* writeLives(all)
        }).pipe(Effect.provide(database))
        yield* opened(
          directory,
          Effect.gen(function* () {
            expect(yield* known).toEqual((yield* orders(all.length)).toSorted(byOrder))
            const sql = yield* SqlClient.SqlClient
            expect(yield* sql`SELECT name FROM sqlite_master WHERE name LIKE '%replay%'`).toEqual([])
          })
        )
      })
    )
  )
})
