import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { databases } from "../../../test/support/databases.js"
import { CallWindows } from "../activity/windows.js"
import * as Database from "../journal/database.js"
import { midnight } from "./clock.js"
import { orderCounts, retriesSince, seriesOf } from "./figures.js"

const minute = 60_000
const now = Date.UTC(2026, 5, 1, 12, 0, 30)
const offering = "a".repeat(32)

const write = (order: number, at: number, step: string, event: string, data: unknown = null) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
      VALUES (${String(order).padStart(32, "0")}, ${String(order).padStart(32, "1")}, 1, ${step}, ${event}, ${at}, ${JSON.stringify(data)})`
  )
/** An order that took so long, and ended so many minutes ago. */
const lived = (order: number, ago: number, took: number, end: "done" | "erred") =>
  Effect.zipRight(
    write(order, now - ago * minute - took, "order", "accepted", { offering, request: { _tag: "Create" } }),
    write(order, now - ago * minute, "order", end)
  )

describe.each(databases)("figures over time, in %s", (_, fresh) => {
  const database = Layer.unwrapScoped(Effect.map(fresh, Database.layer)).pipe(Layer.provide(NodeContext.layer))

  it.effect("count orders, durations, retries and calls in the bucket in which they happened", () =>
    Effect.gen(function* () {
      yield* lived(1, 1, 1_000, "done")
      yield* lived(2, 1, 3_000, "done")
      yield* lived(3, 2, 9_000, "erred")
      yield* lived(4, 100, 1_000, "done")
      yield* write(5, now - 3 * minute, "order", "accepted", { offering, request: { _tag: "Create" } })
      yield* write(5, now - 2 * minute, "group", "interrupted", "away")
      const windows = new CallWindows()
      windows.add("waldur", now - minute, 10, true)
      windows.add("waldur", now - minute, 10, false)
      const series = yield* seriesOf("hour", now, { windows, began: now - 5 * minute })
      expect([series.step, series.at.length, series.at.at(-1)]).toEqual([minute, 60, now - 30_000])
      const last = <A>(column: ReadonlyArray<A>) => column.slice(-4)
      expect(last(series.orders.done)).toEqual([0, 0, 2, 0])
      expect(last(series.orders.erred)).toEqual([0, 1, 0, 0])
      expect(last(series.orders.accepted)).toEqual([1, 1, 2, 0])
      expect(last(series.orders.p95)).toEqual([null, null, 3_000, null])
      expect(last(series.retries)).toEqual([0, 1, 0, 0])
      const [waldur] = series.systems
      expect([last(waldur?.calls ?? []), last(waldur?.errors ?? [])]).toEqual([
        [0, 0, 2, 0],
        [0, 0, 1, 0]
      ])
      // Before the process began nothing is known, which is not the same as none.
      expect(waldur?.calls[0]).toBe(null)
      const day = yield* seriesOf("day", now, { windows, began: now })
      expect([day.at.length, day.orders.done.reduce((sum: number, one) => sum + (one ?? 0), 0)]).toEqual([96, 3])
    }).pipe(Effect.provide(database))
  )

  it.effect("count what has ended since midnight, and what has not ended", () =>
    Effect.gen(function* () {
      yield* lived(1, 1, 1_000, "done")
      yield* lived(2, 13 * 60, 1_000, "done")
      yield* write(3, now, "order", "accepted", { offering, request: { _tag: "Create" } })
      yield* write(3, now, "group", "interrupted", "away")
      const counts = yield* orderCounts(midnight("UTC", now))
      expect(counts.get(offering)).toEqual({
        executing: 0,
        waits: 1,
        undoing: 0,
        quarantined: 0,
        doneToday: 1,
        erredToday: 0
      })
      expect(yield* retriesSince(now - minute)).toBe(1)
    }).pipe(Effect.provide(database))
  )
})

describe("midnight", () => {
  it("is that of the time zone", () => {
    expect(midnight("UTC", now)).toBe(Date.UTC(2026, 5, 1))
    expect(midnight("Europe/Tallinn", now)).toBe(Date.UTC(2026, 4, 31, 21))
    expect(midnight("Asia/Kolkata", Date.UTC(2026, 5, 1, 18, 29))).toBe(Date.UTC(2026, 4, 31, 18, 30))
  })
})
