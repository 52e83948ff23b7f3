/** The lists over 10,000 resources and 100,000 journal entries: each page complete, once, from an index, and at once. */
import { SqlClient } from "@effect/sql"
import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { describe } from "vitest"
import { layer as connection } from "../database/file/connection.js"
import { acceptedAndOpen } from "../journal/journal.js"
import { prepareFile } from "../journal/tables/in-file.js"
import { orderList, orderPage } from "./orders.js"
import { resourceList, resourcePage } from "./resources.js"

const names = (offering: string) => `offering ${offering.slice(0, 1)}`
const offering = (n: number) => (n % 2 === 0 ? "a" : "b").repeat(32)

/** Numbers as uuids: spread, so that neighbours in time are none in the index. */
const spread = (column: string) => `printf('%08x%024x', (${column} * 2654435761) % 4294967296, ${column})`

/** 10,000 orders of 10 entries each, one a resource; every hundredth is not over, every tenth has erred. */
const fill = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`PRAGMA synchronous = OFF`
  const n = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)"
  yield* sql.unsafe(`${n} INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
    SELECT ${spread("(i / 10)")}, ${spread("(i / 10 + 20000)")}, 1,
      CASE WHEN i % 10 IN (0, 9) THEN 'order' ELSE 'step ' || (i % 10 / 2) END,
      CASE i % 10 WHEN 0 THEN 'accepted'
        WHEN 9 THEN CASE WHEN i / 10 % 100 = 0 THEN 'resumed' WHEN i / 10 % 10 = 0 THEN 'erred' ELSE 'done' END
        ELSE CASE i % 2 WHEN 1 THEN 'started' ELSE 'finished' END END,
      i,
      CASE i % 10 WHEN 0 THEN json_object('offering', CASE i / 10 % 2 WHEN 0 THEN '${offering(0)}' ELSE '${offering(1)}' END,
        'request', json_object('_tag', 'Create', 'resource', json_object('name', 'vm ' || printf('%05d', i / 10)))) END
    FROM n`)
  yield* sql.unsafe(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
    INSERT INTO observation SELECT ${spread("(i + 20000)")}, CASE i % 2 WHEN 0 THEN '${offering(0)}' ELSE '${offering(1)}' END,
      'vm ' || printf('%05d', i), 'b' || i, 'OK', 'Running', i % 50 <> 0, 'active', '{}', i, 0, 0 FROM n`)
})

const database = Layer.provideMerge(
  Layer.effectDiscard(Effect.zipRight(prepareFile("memory"), fill)),
  connection("file::memory:")
)

/** Every row of a list, page after page. */
const everything = <A, E, R>(
  page: (
    cursor: string | undefined
  ) => Effect.Effect<{ readonly rows: ReadonlyArray<A>; readonly next: string | null; readonly total: number }, E, R>
) =>
  Effect.gen(function* () {
    const all: Array<A> = []
    let cursor: string | undefined
    for (;;) {
      const { next, rows, total } = yield* page(cursor)
      all.push(...rows)
      if (next === null) return { all, total }
      cursor = next
    }
  })

const planOf = (sql: SqlClient.SqlClient, [text, params]: readonly [string, ReadonlyArray<unknown>]) =>
  Effect.map(sql.unsafe<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${text}`, params), (rows) =>
    rows.map(({ detail }) => detail).join("; ")
  )

/** ms of the processor, not of the clock: others may be using it. */
const took = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = process.cpuUsage()
    yield* work
    const { system, user } = process.cpuUsage(before)
    return (system + user) / 1000
  })

describe("lists over 10,000 resources and 100,000 journal entries", () => {
  it.live("are whole in pages, come from an index, and take some milliseconds a page", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const own = { offering: offering(1), limit: 200 }
      const orders = yield* everything((cursor) => orderList(names, { ...own, cursor }))
      expect([orders.all.length, orders.total]).toEqual([5_000, 5_000])
      expect(new Set(orders.all.map(({ order }) => order)).size).toBe(5_000)
      expect((yield* orderList(names, {})).total).toBe(10_000)
      expect(orders.all[0]).toMatchObject({ name: "vm 09999", offeringName: "offering b", state: "done" })

      const resources = yield* everything((cursor) => resourceList(names, { cursor, limit: 200 }))
      expect([resources.all.length, resources.total]).toEqual([10_000, 10_000])
      expect(resources.all.map(({ name }) => name)).toEqual(resources.all.map(({ name }) => name).toSorted())
      const question = { offering: offering(0), state: "open", search: "0" } as const
      const open = yield* everything((cursor) => orderList(names, { ...question, cursor, limit: 7 }))
      expect([open.all.length, open.total]).toEqual([100, 100])
      expect((yield* orderList(names, { state: "erred" })).total).toBe(900)
      expect((yield* resourceList(names, { state: "unhealthy" })).total).toBe(200)
      expect((yield* resourceList(names, { state: "busy" })).total).toBe(100)
      expect((yield* resourceList(names, { search: "VM 00042" })).rows.map(({ name }) => name)).toEqual(["vm 00042"])
      expect((yield* resourceList(names, { search: "b42" })).rows.map(({ name }) => name)).toContain("vm 00042")
      const [some] = orders.all
      expect((yield* orderList(names, { search: some?.order.slice(0, 12) ?? "" })).rows).toEqual([some])

      const plans = {
        orders: yield* planOf(sql, orderPage(sql, {}, 5_000, 51).compile()),
        ofOffering: yield* planOf(sql, orderPage(sql, { offering: offering(0) }, 5_000, 51).compile()),
        ofResource: yield* planOf(sql, orderPage(sql, { resource: offering(0) }, 5_000, 51).compile()),
        erred: yield* planOf(sql, orderPage(sql, { state: "erred" }, 5_000, 51).compile()),
        resources: yield* planOf(sql, resourcePage(sql, {}, ["vm", "a"], 51).compile()),
        resourcesOfOffering: yield* planOf(sql, resourcePage(sql, { offering: offering(0) }, ["vm", "a"], 51).compile())
      }
      expect(plans.orders).toContain("USING INDEX known_order_seq (seq<?)")
      expect(plans.ofOffering).toContain("USING INDEX known_order_offering (offering=? AND seq<?)")
      expect(plans.ofResource).toContain("USING INDEX known_order_resource (resource_id=? AND seq<?)")
      expect(plans.erred).toContain("USING INDEX known_order_state (state=? AND seq<?)")
      expect(plans.resources).toContain("USING INDEX known_resource_name ((name,resource_id)>(?,?))")
      expect(plans.resourcesOfOffering).toContain("USING INDEX known_resource_offering (offering=?")
      for (const plan of Object.values(plans)) expect(plan).not.toMatch(/SCAN|TEMP B-TREE/)

      // Asked at each look for orders: it reads what the open ones have, not all that there ever was.
      const inWork = acceptedAndOpen(sql, sql`1 = 1`)
      expect((yield* inWork).length).toBe(100)
      const planOfWork = yield* planOf(sql, inWork.compile())
      expect(planOfWork).toContain("known_order USING INDEX known_order_open")
      expect(planOfWork).not.toMatch(/SCAN (?!known_order)/)

      // Generous: on a quiet machine the slowest of them takes some 10 ms. Without an index it would be hundreds.
      const times = [
        yield* took(orderList(names, {})),
        yield* took(orderList(names, { search: "9999" })),
        yield* took(resourceList(names, { search: "9999" })),
        yield* took(resourceList(names, { state: "differing" }))
      ]
      expect(Math.max(...times)).toBeLessThan(500)
      expect(yield* Effect.flip(orderList(names, { cursor: "nonsense" }))).toMatchObject({ _tag: "BadQuestion" })
    }).pipe(Effect.provide(database))
  )
})
