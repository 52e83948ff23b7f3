/** What only a PostgreSQL can do to a journal: several processes at a time, and a way to it that fails. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Context, Duration, Effect, Fiber, Layer, Redacted, type Scope } from "effect"
import { vi } from "vitest"
import { openProcess, order, processes, resource } from "../../../test/support/journals.js"
import { database } from "../../../test/support/postgres.js"
import { tcpProxy } from "../../../test/support/tcp-proxy.js"
import { Reservations, wholeOrder } from "../../core/index.js"
import { Postgres } from "../database/place.js"
import { bare } from "../database/postgres.js"
import { reasonOf, together } from "../database/sql.js"
import { copyOf } from "./copy.js"
import * as Database from "./database.js"
import { Journal } from "./journal.js"
import * as PausesLayer from "./pauses.js"
import { Pauses } from "./pauses.js"
import { migrations } from "./tables/migrations.js"

const test = <E>(name: string, run: () => Effect.Effect<void, E, Scope.Scope>) => it.scopedLive(name, run)

describe("several processes on one PostgreSQL", () => {
  test("that start at once on an empty one make its tables once", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(3)
      yield* processes(place, 6)
      expect(yield* query("SELECT version::int FROM schema_version ORDER BY version")).toEqual(
        migrations.map((_, index) => ({ version: index + 1 }))
      )
    }))

  test("find nothing written by one whose lease has passed on, from the moment on in which it has", () =>
    Effect.gen(function* () {
      const { place } = yield* database(4)
      const [late, next] = yield* processes(place, 2)
      if (late === undefined || next === undefined) return
      for (let race = 0; race < 40; race++) {
        const old = yield* Effect.provide(
          Effect.flatMap(Journal, (journal) =>
            Effect.flatMap(journal.lease(resource(race), "late"), (lease) => journal.order(order(race), lease))
          ),
          late
        )
        // As many at once as its connections can carry, until it is told that it has lost.
        const writing = yield* Effect.fork(
          Effect.forEach([1, 2, 3], (writer) => Effect.forever(old.append(`step ${writer}`, "started")), {
            concurrency: "unbounded"
          })
        )
        yield* Effect.sleep(race % 5)
        const { before, after } = yield* Effect.gen(function* () {
          const journal = yield* Journal
          yield* journal.lease(resource(race), "next")
          const before = yield* journal.story(order(race))
          const error = yield* Effect.flip(Fiber.join(writing))
          expect(error._tag).toBe("LeaseLost")
          return { before, after: yield* journal.story(order(race)) }
        }).pipe(Effect.provide(next))
        expect(after).toEqual(before)
      }
    }))

  test("never reserve overlapping ranges: one that has not ended yet is waited for", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(3)
      const [one, other] = yield* processes(place, 2)
      if (one === undefined || other === undefined) return
      const sql = Context.get(one, SqlClient.SqlClient)
      const ranges = [0, 5, 10].map((first) => ({ first, last: first + 9 }))
      const asking = yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`INSERT INTO reservation (pool, resource_id, first, last) VALUES ('pool', ${resource(1)}, 0, 9)`
          const asking = yield* Effect.forkDaemon(
            Context.get(other, Reservations).reserve("pool", resource(2), ranges.slice(0, 2))
          )
          // It sees no reservation yet.
          yield* Effect.repeat(query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"), {
            until: (rows) => rows.length > 0 || asking.unsafePoll() !== null
          })
          return asking
        })
      )
      expect(yield* Fiber.join(asking)).toBe(undefined)
      expect(yield* Context.get(other, Reservations).reserve("pool", resource(2), ranges)).toEqual(ranges[2])
      expect(yield* query("SELECT first::int, last::int FROM reservation ORDER BY first")).toEqual([
        ranges[0],
        ranges[2]
      ])
    }))

  test("see what others have reserved, and lose nothing with the server, whatever somebody has set for its users", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(3)
      const url = new URL(Redacted.value(place.url))
      const set = "-c default_transaction_isolation=repeatable\\ read -c synchronous_commit=off"
      url.searchParams.set("options", `${url.searchParams.get("options")} ${set}`)
      const [one, other] = yield* processes(new Postgres({ ...place, url: Redacted.make(url.href) }), 2)
      if (one === undefined || other === undefined) return
      const sql = Context.get(one, SqlClient.SqlClient)
      const asking = yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`INSERT INTO reservation (pool, resource_id, first, last) VALUES ('pool', ${resource(1)}, 0, 9)`
          const range = [{ first: 0, last: 9 }]
          const asking = yield* Effect.forkDaemon(
            Effect.exit(Context.get(other, Reservations).reserve("pool", resource(2), range))
          )
          yield* Effect.repeat(query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"), {
            until: (rows) => rows.length > 0 || asking.unsafePoll() !== null
          })
          return asking
        })
      )
      yield* Fiber.join(asking)
      expect(yield* query("SELECT resource_id FROM reservation")).toEqual([{ resource_id: resource(1) }])
      const commits = yield* Context.get(
        other,
        SqlClient.SqlClient
      )`SELECT current_setting('synchronous_commit') AS how`
      expect(commits).toEqual([{ how: "local" }])
    }))

  test("count pauses each by itself, and those of one that died until it was last seen", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(3)
      const running = (owner: string) =>
        Layer.build(
          PausesLayer.layer(owner).pipe(Layer.provide(Database.layer(place)), Layer.provide(NodeContext.layer))
        )
      const first = yield* running("first")
      const second = yield* running("second")
      yield* Effect.flatMap(Pauses, (pauses) => pauses.began("offering", "away")).pipe(Effect.provide(first))
      yield* Effect.flatMap(Pauses, (pauses) =>
        Effect.zipRight(pauses.began("offering", "away"), pauses.ended("offering"))
      ).pipe(Effect.provide(second))
      const open = query("SELECT owner FROM pause WHERE until IS NULL ORDER BY owner")
      expect(yield* open).toEqual([{ owner: "first" }])
      // It is killed, and nothing has been heard of it for half a minute; another one starts.
      yield* query("UPDATE agent SET seen = seen - 30000 WHERE owner = 'first'")
      yield* running("third")
      expect(yield* open).toEqual([])
      expect(yield* query("SELECT owner FROM agent ORDER BY owner")).toEqual([{ owner: "second" }, { owner: "third" }])
      expect(yield* query("SELECT count(*)::int AS stops FROM pause WHERE scope = 'agent'")).toEqual([{ stops: 0 }])
    }))
})

test("a copy for a plan has all that orders rest on, however long the journal is", () =>
  Effect.gen(function* () {
    const { place, query } = yield* database(2)
    const process = yield* openProcess(place)
    yield* query(`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
      SELECT 'order ' || i / 10, 'resource ' || i / 10, 1, CASE i % 10 WHEN 0 THEN 'order' ELSE 'step ' || i % 10 END,
        CASE i % 10 WHEN 0 THEN 'accepted' ELSE 'finished' END, i, '{"offering": "f"}' FROM generate_series(0, 4499) AS i`)
    yield* query("INSERT INTO reservation SELECT 'pool ' || i, 'resource', 0, 9 FROM generate_series(1, 2001) AS i")
    const counts = Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql`SELECT (SELECT count(*) FROM journal) AS entries, (SELECT count(*) FROM known_order) AS orders,
        (SELECT count(*) FROM reservation) AS reservations, (SELECT max(id) FROM journal) AS last`
    )
    const copied = yield* Effect.flatMap(copyOf(place, true), (copy) => Effect.provide(counts, Database.layer(copy)))
    expect(copied).toEqual([{ entries: 4500, orders: 450, reservations: 2001, last: 4500 }])
    expect(yield* Effect.provide(counts, process)).toEqual(copied)
  }).pipe(Effect.provide(NodeContext.layer)))

describe("the way to a PostgreSQL", () => {
  const through = (place: Postgres, from: number, to: number) =>
    new Postgres({ ...place, url: Redacted.make(Redacted.value(place.url).replace(`:${from}/`, `:${to}/`)) })

  test("that swallows what is sent is given up after a while, and is taken again when it is back", () =>
    Effect.gen(function* () {
      const { place, port } = yield* database(2)
      const way = yield* tcpProxy(port)
      const built = yield* Layer.build(bare(through(place, port, way.port), Duration.seconds(200)))
      const sql = Context.get(built, SqlClient.SqlClient)
      const ask = sql`SELECT 1 AS one`
      expect(yield* ask).toEqual([{ one: 1 }])
      way.set("silent")
      // The driver's time-outs are over at once: on real ones a busy machine would take the answers for late, too.
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      const asked = yield* Effect.fork(Effect.flip(ask))
      while (asked.unsafePoll() === null) {
        vi.advanceTimersByTime(1_000)
        yield* Effect.promise(() => new Promise((turn) => setImmediate(turn)))
      }
      vi.useRealTimers()
      expect(reasonOf(yield* Fiber.join(asked))).toBe("Query read timeout")
      way.set("open")
      expect(yield* ask).toEqual([{ one: 1 }])
    }).pipe(Effect.ensuring(Effect.sync(() => vi.useRealTimers()))))

  test("that breaks in the middle of a statement is an error of that statement, and of nothing else", () =>
    Effect.gen(function* () {
      const { place, port, query } = yield* database(2)
      const way = yield* tcpProxy(port)
      const sql = Context.get(yield* Layer.build(bare(through(place, port, way.port))), SqlClient.SqlClient)
      yield* sql`SELECT 1`
      const asleep = yield* Effect.fork(Effect.flip(sql`SELECT pg_sleep(30)`))
      const inTransaction = yield* Effect.fork(Effect.flip(together(sql, sql`SELECT pg_sleep(30)`)))
      const sleeping = query(
        "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()"
      )
      yield* Effect.repeat(sleeping, { until: ({ length }) => length === 2 })
      way.set("cut")
      expect(reasonOf(yield* Fiber.join(asleep))).toBe("Connection terminated unexpectedly")
      expect(reasonOf(yield* Fiber.join(inTransaction))).toMatch(/connection/i)
      way.set("open")
      expect((yield* sql`SELECT 1`).length).toBe(1)
    }))
})

test("what was prepared and is not kept, as behind a pooler, is asked without from then on", () =>
  Effect.gen(function* () {
    const { place, query } = yield* database(1)
    const sql = Context.get(yield* openProcess(new Postgres({ ...place, connections: 1 })), SqlClient.SqlClient)
    const ask = sql`SELECT 1 AS one`
    const prepared = sql<{
      readonly name: string
    }>`SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT 1 AS%'`
    yield* ask
    expect(yield* prepared).toMatchObject([{ name: expect.stringMatching(/^s_[0-9a-f]{32}$/) }])
    yield* sql.unsafe("DEALLOCATE ALL")
    expect(yield* ask).toEqual([{ one: 1 }])
    expect(yield* ask).toEqual([{ one: 1 }])
    expect(yield* prepared).toEqual([])
    expect(yield* query("SELECT 1 AS one")).toEqual([{ one: 1 }])
  }))

describe("a text that PostgreSQL has no place for", () => {
  test("is kept as far as it has one", () =>
    Effect.gen(function* () {
      const { place } = yield* database(2)
      const process = yield* openProcess(place)
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        const entries = yield* journal.order(order(1), yield* journal.lease(resource(1), "one"))
        yield* entries.append(wholeOrder, "accepted", { offering: "f\u0000\ud83d", request: { _tag: "Create" } })
        yield* journal.recordLeftovers([
          { order: order(1), resource: resource(1), step: "a\u0000b", reason: "c\ud83dd \ud83d\ude00" }
        ])
        expect(yield* journal.leftovers).toMatchObject([{ step: "a\ufffdb", reason: "c\ufffdd \ud83d\ude00" }])
        // JSON says them in ASCII: what a step wrote comes back as it was.
        expect((yield* journal.story(order(1)))[0]?.data).toMatchObject({ offering: "f\u0000\ud83d" })
        expect(yield* (yield* SqlClient.SqlClient)`SELECT type, offering FROM known_order`).toEqual([
          { type: "Create", offering: "f\ufffd\ufffd" }
        ])
      }).pipe(Effect.provide(process))
    }))
})

describe("a PostgreSQL that cannot be used is named, without its password, with what to do", () => {
  const refusal = (place: Postgres) =>
    Effect.map(
      Effect.flip(Layer.build(Layer.provide(Database.layer(place), NodeContext.layer))),
      ({ message }) => message
    )
  const withUrl = ({ url }: Postgres, change: (parts: URL) => void): Postgres => {
    const parts = new URL(Redacted.value(url))
    change(parts)
    return new Postgres({ url: Redacted.make(parts.href), connections: 2 })
  }

  const cases: ReadonlyArray<readonly [string, (parts: URL) => void, RegExp]> = [
    [
      "nobody listens",
      (parts: URL) => {
        parts.port = "1"
      },
      /^The database postgres:\/\/127.0.0.1:1\/postgres cannot be used: connect ECONNREFUSED 127.0.0.1:1. Check that PostgreSQL runs there/
    ],
    [
      "there is no such database",
      (parts: URL) => {
        parts.pathname = "/none"
      },
      /database "none" does not exist. Make it: CREATE DATABASE/
    ],
    [
      "there is no such user",
      (parts: URL) => {
        parts.username = "stranger"
      },
      /role "stranger" does not exist. Check user and password in `database`/
    ],
    [
      "it is only looked at",
      (parts: URL) => {
        parts.searchParams.set("options", `${parts.searchParams.get("options")} -c default_transaction_read_only=on`)
      },
      /takes no writes. This server only follows another one/
    ]
  ]
  for (const [name, change, said] of cases) {
    test(name, () =>
      Effect.gen(function* () {
        const { password, place } = yield* database(2)
        const message = yield* refusal(withUrl(place, change))
        expect(message).toMatch(said)
        expect(message).not.toContain(password)
      })
    )
  }
})
