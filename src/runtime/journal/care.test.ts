import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { databases, within } from "../../../test/support/databases.js"
import { inDirectory, lived, opened, order, resource } from "../../../test/support/journals.js"
import { Reservations, wholeOrder } from "../../core/index.js"
import { inspect } from "./consistency.js"
import * as Database from "./database.js"
import { Journal } from "./journal.js"
import * as PausesLayer from "./pauses.js"
import { Pauses, pausedMillis } from "./pauses.js"
import * as ReservationsLayer from "./reservations.js"
import { forget } from "./retention.js"

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
          const { reserve } = yield* Effect.provide(Reservations, ReservationsLayer.layer)
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
