/** What keeps the journal in order: its schema, its consistency, what it forgets, and what it knows of pauses. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { LibsqlClient } from "@effect/sql-libsql"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { databases, within } from "../../../test/support/databases.js"
import { OrderId, Reservations, ResourceId, wholeOrder } from "../../core/index.js"
import { inspect } from "./consistency.js"
import * as Database from "./database.js"
import * as JournalLayer from "./journal.js"
import { Journal } from "./journal.js"
import { type Migration, migrations, statementsFor } from "./migrations.js"
import * as PausesLayer from "./pauses.js"
import { Pauses, pausedMillis } from "./pauses.js"
import type { Place } from "./place.js"
import { forget } from "./retention.js"

const inDirectory = <A, E>(use: (directory: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-care-"))),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

const opened = <A, E>(place: Place, use: Effect.Effect<A, E, Journal | SqlClient.SqlClient>) =>
  use.pipe(
    Effect.provide(JournalLayer.layer.pipe(Layer.provideMerge(Database.layer(place)), Layer.provide(NodeContext.layer)))
  )

const order = (n: number) => OrderId.make(String(n).padStart(32, "a"))
const resource = (n: number) => ResourceId.make(String(n).padStart(32, "b"))

/** An order of a resource from its acceptance to its end (if it has one), as of now. */
const lived = (n: number, of: ResourceId, type: string, end?: "done" | "erred") =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const entries = yield* journal.order(order(n), yield* journal.lease(of, "test"))
    yield* entries.append(wholeOrder, "accepted", { offering: "f".repeat(32), request: { _tag: type } })
    yield* entries.append("group", "finished", { id: n })
    if (end !== undefined) yield* entries.append(wholeOrder, end)
  })

const known = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ readonly order_id: string }>`SELECT DISTINCT order_id FROM journal ORDER BY order_id`
  return rows.map((row) => Number(row.order_id.replace(/^a+/, "")))
})

describe("what is forgotten", () => {
  it.live("goes little by little, so that others get on meanwhile; what is taken up anew meanwhile stays", () =>
    inDirectory((directory) =>
      opened(
        directory,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const many = 200
          for (let n = 1; n <= many; n++) {
            yield* sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data) VALUES
              (${order(n)}, ${resource(n)}, 1, ${wholeOrder}, 'accepted', ${n}, '{"request":{"_tag":"Terminate"}}'),
              (${order(n)}, ${resource(n)}, 1, ${wholeOrder}, 'done', ${n}, NULL)`
          }
          const left = Effect.map(
            sql<{ readonly count: number }>`SELECT count(DISTINCT order_id) AS count FROM journal`,
            ([row]) => row?.count ?? 0
          )
          const forgetting = yield* Effect.fork(forget(Duration.days(1)))
          const halfway = yield* left.pipe(
            Effect.tap(() => Effect.yieldNow()),
            Effect.repeat({ until: (count) => count < many })
          )
          expect(halfway).toBeGreaterThan(0)
          const now = yield* Clock.currentTimeMillis
          yield* sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at)
            VALUES (${order(many)}, ${resource(many)}, 2, ${wholeOrder}, 'accepted', ${now})`
          expect(yield* Fiber.join(forgetting)).toBe(many - 1)
          expect(yield* known).toEqual([many])
        })
      )
    )
  )
})

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
  // Of a file, which belongs to one process at a time: the same rows, by other statements (`known.test.ts`).
  const triggers = /^(DROP|CREATE) TRIGGER journal_known/

  it("only adds what programs of before do not notice, or says that it is too much for them (`oldest`)", () => {
    expect(others.filter((statement) => !triggers.test(statement))).toEqual([])
  })

  it("needs no program that is newer than itself, and none that is older than another needs", () => {
    const needed = migrations.map(({ oldest }) => oldest)
    expect(needed.every((oldest, index) => oldest <= index + 1)).toBe(true)
    expect(needed).toEqual(needed.toSorted((a, b) => a - b))
  })
})

describe.each(databases)("the look at a journal in %s before it is used", (_, fresh) => {
  it.effect("finds nothing in a sound one", () =>
    within(fresh, (place) =>
      opened(place, Effect.zipRight(lived(1, resource(1), "Create"), inspect("journal.db"))).pipe(
        Effect.map((oddities) => expect(oddities).toEqual([]))
      )
    )
  )

  it.effect("names orders that make no sense, one sentence each", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
            VALUES (${order(1)}, ${resource(1)}, 1, 'group', 'finished', 1, '{"id":')`
          expect(yield* inspect("journal.db")).toEqual([
            `Order ${order(1)}: what is written down of step "group" cannot be read.`,
            `Order ${order(1)}: it has steps, but was never accepted.`,
            `Order ${order(1)}: nobody ever held its resource.`
          ])
        })
      )
    )
  )
  it.effect("calls nothing damaged that PostgreSQL has refused", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* sql`DROP TABLE journal`
          const { hint } = yield* Effect.flip(inspect("journal.db"))
          expect(hint).toMatch(typeof place === "string" ? /^It is damaged/ : /give the agent a database of its own/)
        })
      )
    )
  )
})

describe.each(databases)("the journal in %s forgets", (_, fresh) => {
  it.effect(
    "what ended long ago, but not the last order of a living resource, open orders, and those with leftovers",
    () =>
      within(fresh, (place) =>
        opened(
          place,
          Effect.gen(function* () {
            yield* lived(1, resource(1), "Create", "done")
            yield* lived(2, resource(1), "Update", "done")
            yield* lived(3, resource(1), "Update", "erred")
            yield* lived(4, resource(2), "Create", "done")
            yield* lived(5, resource(2), "Terminate", "done")
            yield* lived(6, resource(3), "Create", "erred")
            yield* (yield* Journal).recordLeftovers([
              { order: order(6), resource: resource(3), step: "group", reason: "in use" }
            ])
            yield* lived(7, resource(4), "Create")
            yield* TestClock.adjust("89 days")
            expect(yield* forget(Duration.days(90))).toBe(0)
            yield* lived(8, resource(5), "Create", "erred")
            yield* TestClock.adjust("2 days")
            expect(yield* forget(Duration.days(90))).toBe(4)
            // 2: the last that was done to a living resource; 6: left over; 7: open; 8: too young.
            expect(yield* known).toEqual([2, 6, 7, 8])
          })
        )
      )
  )

  it.effect("what is reserved for a resource that has ended", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const { reserve } = yield* Effect.provide(Reservations, JournalLayer.reservationsLayer)
          yield* lived(1, resource(1), "Create", "done")
          yield* lived(2, resource(2), "Create", "done")
          yield* lived(3, resource(2), "Terminate", "done")
          yield* lived(4, resource(3), "Create", "erred")
          yield* lived(5, resource(4), "Terminate")
          for (const n of [1, 2, 3, 4]) yield* reserve("subnets of http://one", resource(n), [{ first: n, last: n }])
          yield* forget(Duration.days(90))
          expect(yield* sql`SELECT CAST(first AS INTEGER) AS first FROM reservation ORDER BY first`).toEqual(
            [1, 3, 4].map((first) => ({ first }))
          )
        })
      )
    )
  )

  it.effect("who had a resource, and lets nobody who had it write again", () =>
    within(fresh, (place) =>
      opened(
        place,
        Effect.gen(function* () {
          const journal = yield* Journal
          yield* lived(1, resource(1), "Create", "erred")
          const asleep = yield* journal.lease(resource(1), "asleep")
          const late = yield* journal.order(order(1), asleep)
          yield* TestClock.adjust("91 days")
          expect(yield* forget(Duration.days(90))).toBe(1)
          expect(yield* journal.knows(resource(1))).toBe(false)
          expect(yield* journal.holds(asleep)).toBe(false)
          // As often as it was taken before, and once more.
          for (const _ of [1, 2, 3]) {
            const lease = yield* journal.lease(resource(1), "awake")
            expect([yield* journal.holds(asleep), yield* journal.holds(lease)]).toEqual([false, true])
          }
          expect(yield* Effect.flip(late.append("group", "started"))).toMatchObject({ _tag: "LeaseLost" })
          expect(yield* inspect("journal.db")).toEqual([])
        })
      )
    )
  )
})

describe("pauses", () => {
  it("that overlap count once, and only where they meet the time in question", () => {
    const pauses = [
      { since: 50, until: 80 },
      { since: 10, until: 30 },
      { since: 20, until: 40 },
      { since: 90, until: null }
    ]
    expect(pausedMillis(pauses, 0, 100)).toBe(30 + 30 + 10)
    expect(pausedMillis(pauses, 25, 60)).toBe(15 + 10)
    expect(pausedMillis([], 0, 100)).toBe(0)
  })
})

/**
 * Minutes in which the agent gives its signs of life: time goes on when the database has the last one. A sign that took longer than the step of
 * the clock is followed by one at the step after the next: so it is not waited for without end.
 */
const lively = (minutes: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const seen = Effect.map(sql<{ readonly seen: number }>`SELECT max(seen) AS seen FROM agent`, ([row]) => row?.seen)
    for (let beat = 0; beat < minutes * 12; beat++) {
      yield* TestClock.adjust("5 seconds")
      const now = yield* Clock.currentTimeMillis
      yield* Effect.repeat(seen, { until: (last) => (last ?? 0) >= now - 5_000, times: 500 })
    }
  })

describe.each(databases)("pauses in %s", (_, fresh) => {
  it.effect("are remembered by a restart, and the time in which no agent ran is one of all offerings", () =>
    within(fresh, (place) => {
      const running = <A, E>(owner: string, use: Effect.Effect<A, E, Pauses | SqlClient.SqlClient>) =>
        use.pipe(
          Effect.provide(
            PausesLayer.layer(owner).pipe(Layer.provideMerge(Database.layer(place)), Layer.provide(NodeContext.layer))
          )
        )
      return Effect.gen(function* () {
        yield* running(
          "first",
          Effect.gen(function* () {
            const pauses = yield* Pauses
            yield* lively(1)
            yield* pauses.began("offering", "the cloud is away")
            yield* pauses.began("offering", "still")
            yield* lively(2)
            yield* pauses.ended("offering")
            // Another one lasts when the process is killed.
            yield* pauses.began("offering", "again")
          })
        )
        yield* TestClock.adjust("10 minutes")
        yield* running(
          "second",
          Effect.gen(function* () {
            const pauses = yield* Pauses
            yield* lively(7)
            const minutes = (scope: string) =>
              Effect.map(pauses.total([scope], 0, Duration.toMillis("20 minutes")), (ms) => Math.round(ms / 60_000))
            expect(yield* minutes("offering")).toBe(12)
            expect(yield* minutes("another")).toBe(10)
          })
        )
      })
    })
  )
})
