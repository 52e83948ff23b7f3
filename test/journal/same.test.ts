/** Whatever is kept and asked gives the same answers from a file and from PostgreSQL: every statement of the runtime, on both. */
import { existsSync, renameSync } from "node:fs"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer, Logger, LogLevel, Option, Stream, TestClock, TestContext } from "effect"
import { OfferingId, OrderId, ResourceId, wholeOrder } from "../../src/core/index.js"
import { CallWindows } from "../../src/runtime/activity/windows.js"
import { Activities } from "../../src/runtime/activity.js"
import { audited, auditList } from "../../src/runtime/control/audit.js"
import * as Requests from "../../src/runtime/control/requests.js"
import type { Place } from "../../src/runtime/database/place.js"
import { alone } from "../../src/runtime/journal/alone.js"
import { inspect } from "../../src/runtime/journal/consistency.js"
import { moveInto } from "../../src/runtime/journal/copy.js"
import * as Database from "../../src/runtime/journal/database.js"
import * as History from "../../src/runtime/journal/history.js"
import * as InShort from "../../src/runtime/journal/in-short.js"
import * as JournalLayer from "../../src/runtime/journal/journal.js"
import { Journal } from "../../src/runtime/journal/journal.js"
import * as PausesLayer from "../../src/runtime/journal/pauses.js"
import { Pauses } from "../../src/runtime/journal/pauses.js"
import { forget } from "../../src/runtime/journal/retention.js"
import { Reconciliations } from "../../src/runtime/observation/reconciliations.js"
import * as Store from "../../src/runtime/observation/store.js"
import { Offerings } from "../../src/runtime/offerings/offering.js"
import { Pausings } from "../../src/runtime/offerings/pausings.js"
import { Cancellations } from "../../src/runtime/orders/cancellations.js"
import { usageMemory } from "../../src/runtime/reports/index.js"
import { UsageMemory } from "../../src/runtime/reports/memory.js"
import { troublesOf } from "../../src/runtime/views/attention.js"
import { orderCounts, resourceCounts, retriesSince, seriesOf } from "../../src/runtime/views/figures.js"
import { orderList, orderRow, orderRows } from "../../src/runtime/views/orders.js"
import { resourceList, resourceRow } from "../../src/runtime/views/resources.js"
import { differenceList, leftoverList } from "../../src/runtime/views/troubles.js"
import { databases, within } from "../support/databases.js"

const order = (n: number) => OrderId.make(String(n).padStart(32, "a"))
const resource = (n: number) => ResourceId.make(String(n).padStart(32, "b"))
const offering = (n: number) => OfferingId.make(String(n).padStart(32, "f"))
const names = (id: string) => `offering ${id.slice(-1)}`

/** Sorted by bytes, found without regard to case, and nothing in them is a pattern. */
const labels = ["beta", "Alpha", "alpha", "100%", "under_score", "ünder", "Zeta", 'quo"te', "back\\slash", ""]
const types = ["Create", "Update", "Terminate"]
const ends = ["done", "erred", undefined] as const

const request = (n: number, type: string, name: string) => ({
  offering: offering(n % 2),
  request: { _tag: type, resource: { id: resource(n), name, projectName: "Project" } }
})

const lived = Effect.forEach(
  labels,
  (name, n) =>
    Effect.gen(function* () {
      const journal = yield* Journal
      const lease = yield* journal.lease(resource(n), "one")
      for (const [at, type] of types.slice(0, 1 + (n % 3)).entries()) {
        const id = order(n * 10 + at)
        const entries = yield* journal.order(id, lease)
        yield* entries.append(wholeOrder, "accepted", request(n, type, name))
        yield* entries.append("group", "started")
        yield* TestClock.adjust("10 seconds")
        yield* entries.append("group", n % 4 === 1 ? "interrupted" : "finished", n % 4 === 1 ? "away" : { id: n })
        const end = ends[(n + at) % 3]
        if (end === "erred") yield* entries.append(wholeOrder, "failed", { customerMessage: "There is no room." })
        if (end !== undefined) yield* entries.append(wholeOrder, end)
      }
    }),
  { discard: true }
)

const looked = Effect.gen(function* () {
  const at = yield* Clock.currentTimeMillis
  yield* Store.keep(
    labels.map((name, n) => ({
      resource: resource(n),
      offering: offering(n % 2),
      name: n === 3 ? "re\u0000named" : name,
      backendId: String(100 + n),
      marketplaceState: "OK",
      state: n === 2 ? "missing" : "Running",
      healthy: n !== 2,
      standing: "active",
      facts: { vcpu: n, ünïcode: "a'b\"c\\" },
      at,
      misses: n === 2 ? 3 : 0
    }))
  )
  yield* Store.setErred(resource(2), true)
  yield* Store.addDifferences(
    [1, 2, 5].map((n) => ({
      resource: resource(n),
      kind: n === 2 ? ("missing" as const) : ("quotas" as const),
      subject: `network ${n}`,
      expected: "8",
      found: "4",
      sentence: "It's less.",
      policy: "report" as const,
      since: at - n
    }))
  )
  yield* Store.setOutcome(resource(1), "quotas", "It was refused.")
  yield* Store.removeDifferences([{ resource: resource(5), kind: "quotas", subject: "network 5" }])
  yield* Store.offer(offering(1), ["7", "8"], at)
  yield* Store.offer(offering(1), ["8", "9"], at)
  yield* Store.forget([resource(9)])
})

const asked = Effect.gen(function* () {
  const journal = yield* Journal
  const pauses = yield* Pauses
  yield* journal.recordLeftovers(
    [1, 2].map((n) => ({ order: order(10), resource: resource(1), step: `${n}`, reason: "in use" }))
  )
  yield* journal.settleLeftovers(order(10), [{ order: order(10), resource: resource(1), step: "2", reason: "still" }])
  yield* pauses.began(offering(1), "The cloud is away.")
  yield* (yield* Cancellations).cancel(order(1), "operator", "by mistake", 0)
  yield* (yield* Pausings).pause(offering(1), "operator", "maintenance")
  const deed = {
    who: "operator",
    role: "operator",
    by: "token",
    kind: "pause",
    subject: offering(1),
    detail: ""
  } as const
  yield* audited(deed, Effect.succeed({ ok: true, outcome: "Paused." }))
  yield* Effect.ignore(audited({ ...deed, kind: "retry" }, Effect.fail("no")))
  const id = yield* Requests.ask("retry", order(1))
  const before = yield* Requests.waiting
  yield* Requests.settle(id, { ok: false, outcome: "It does not rest." })
  const memory = yield* UsageMemory
  const told = { resource: resource(1), period: "2026-06-01", component: "cpu", at: 1, final: false }
  yield* memory.keep(offering(1), [
    { ...told, amount: 1.5 },
    { ...told, component: "ram", amount: 3_000_000_000, refusal: "no" }
  ])
  yield* memory.keep(offering(1), [{ ...told, amount: 2.25, final: true }])
  const lease = yield* journal.lease(resource(1), "one")
  const job = yield* Reconciliations.begin(lease, "quotas")
  yield* job.append("quotas", "started")
  yield* journal.lease(resource(1), "two")
  return {
    before,
    answer: yield* Requests.answerTo(id),
    lost: (yield* Effect.flip(job.append("quotas", "finished")))._tag
  }
})

/** Every page of a list, one row each. */
const paged = <A, E, R>(
  list: (question: {
    readonly limit: number
    readonly cursor?: string
  }) => Effect.Effect<{ readonly rows: ReadonlyArray<A>; readonly next: string | null; readonly total: number }, E, R>
) =>
  Effect.gen(function* () {
    const all: Array<A> = []
    let page = yield* list({ limit: 3 })
    all.push(...page.rows)
    while (page.next !== null) {
      page = yield* list({ limit: 3, cursor: page.next })
      all.push(...page.rows)
    }
    return { all, total: page.total }
  })

const sorted = <A>(counts: ReadonlyMap<string, A>) => [...counts].toSorted(([one], [other]) => one.localeCompare(other))

const searches = [undefined, "alpha", "ALPHA", "100%", "_", "ün", "\\", "quo", "aaaa", "bbbbbbbb", "103"]

const told = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const journal = yield* Journal
  const sql = yield* SqlClient.SqlClient
  const figures = yield* resourceCounts
  const all = <A, B, E, R>(of: ReadonlyArray<A>, ask: (one: A) => Effect.Effect<B, E, R>) => Effect.forEach(of, ask)
  return {
    orders: yield* History.orders(4),
    story: yield* History.storyOf(order(21)),
    like: yield* History.ordersLike("aaaaaaaa"),
    none: yield* History.ordersLike("%"),
    leftovers: [yield* History.leftovers, yield* journal.leftovers, yield* leftoverList(names)],
    pauses: yield* History.pausesNow,
    lines: [...(yield* History.atOneMoment(Stream.runCollect(History.jsonLines(Option.none()))))],
    linesOfOne: [...(yield* Stream.runCollect(History.jsonLines(Option.some(order(10)))))],
    work: yield* InShort.workNow(now - 30_000, 4),
    ordersOf: yield* InShort.ordersOf(resource(2)),
    resourcesLike: yield* InShort.resourcesLike("bbbb"),
    open: yield* journal.openOrders,
    openOf: yield* journal.openOrdersOf(resource(2)),
    knows: [yield* journal.knows(resource(1)), yield* journal.knows(resource(77))],
    overtaken: yield* journal.overtakenBy(order(20), resource(2)),
    observed: [yield* Store.all(), yield* Store.all(offering(1)), yield* Store.one(resource(3))],
    differences: [yield* Store.differences(), yield* Store.differences(offering(0))],
    offered: [
      yield* Store.wasOffered(offering(1), "9"),
      yield* Store.wasOffered(offering(0), "9"),
      [...(yield* Store.offered(offering(1)))].toSorted()
    ],
    counts: [sorted(yield* orderCounts(now - 40_000)), yield* retriesSince(0)],
    figures: { ...figures, resources: sorted(figures.resources) },
    series: yield* seriesOf("hour", now, { windows: new CallWindows(), began: 0 }),
    orderPages: yield* all(searches, (search) => paged((page) => orderList(names, { ...page, search }))),
    orderStates: yield* all(["open", "ended", "waits", "done", "erred"] as const, (state) =>
      paged((page) => orderList(names, { ...page, state, offering: offering(1), type: "Create" }))
    ),
    row: [yield* orderRow(names, order(10)), yield* orderRow(names, order(999))],
    rows: yield* orderRows(names, [order(10), order(20)]),
    resourcePages: yield* all(searches, (search) => paged((page) => resourceList(names, { ...page, search }))),
    resourceStates: yield* all(
      ["differing", "missing", "unhealthy", "busy", "ended", "active", "failed"] as const,
      (state) => paged((page) => resourceList(names, { ...page, state }))
    ),
    resource: yield* resourceRow(names, resource(3)),
    differencePages: yield* all([undefined, "alpha", "bbb"], (search) =>
      paged((page) => differenceList(names, { ...page, search }))
    ),
    differencesOf: yield* paged((page) => differenceList(names, { ...page, offering: offering(0), kind: "missing" })),
    audit: [yield* paged(auditList), yield* auditList({ kind: "retry", subject: offering(1) })],
    troubles: yield* troublesOf({ offerings: [], servers: [], quarantined: [], cutOffs: [], now }),
    usage: yield* (yield* UsageMemory).since(offering(1), "2026-06-01"),
    later: yield* (yield* UsageMemory).since(offering(1), "2026-07-01"),
    pausings: [...(yield* (yield* Pausings).all)],
    sound: yield* inspect("here"),
    reconciliations: yield* sql`SELECT step, event, data FROM reconciliation ORDER BY id`
  }
})

const answers = Effect.gen(function* () {
  yield* lived
  yield* looked
  const desk = yield* asked
  const first = yield* told
  yield* TestClock.adjust("1 minute")
  const forgotten = yield* forget(Duration.seconds(30))
  return { desk, first, forgotten, second: yield* told }
})

const layer = Layer.mergeAll(
  JournalLayer.layer,
  PausesLayer.layer("one"),
  Cancellations.layer,
  usageMemory,
  Pausings.layer.pipe(Layer.provideMerge(Offerings.layer)),
  Activities.layer
)

it.live("a journal says the same in PostgreSQL as in a file", () =>
  Effect.gen(function* () {
    const both = yield* Effect.forEach(databases, ([, fresh]) =>
      within(fresh, (place) =>
        answers.pipe(
          Effect.provide(layer.pipe(Layer.provideMerge(Database.layer(place)), Layer.provide(NodeContext.layer))),
          // Each from the same moment on.
          Effect.provide(TestContext.TestContext)
        )
      )
    )
    const [inFile, inPostgres] = both
    expect(inPostgres).toEqual(inFile)
    // And it is not nothing.
    expect(inFile).toMatchObject({
      desk: { answer: { _tag: "Some" }, lost: "LeaseLost" },
      forgotten: 5,
      first: {
        knows: [true, false],
        offered: [true, false, ["7", "8", "9"]],
        sound: [],
        figures: { differing: 2, leftovers: 1 }
      }
    })
    expect(inFile?.first.orderPages.map(({ total }) => total)).toEqual([19, 5, 5, 1, 2, 3, 3, 2, 19, 19, 0])
    expect(inFile?.first.resourcePages[0]?.all.map(({ name }) => name)).toEqual([
      "Alpha",
      "alpha",
      "back\\slash",
      "beta",
      'quo"te',
      "re\ufffdnamed",
      "under_score",
      "Zeta",
      "ünder"
    ])
  }).pipe(Logger.withMinimumLogLevel(LogLevel.Warning))
)

it.live("a journal that is moved from its file into PostgreSQL says what it said before", () =>
  Effect.gen(function* () {
    const [inFile, inPostgres] = databases.map(([, fresh]) => fresh)
    const from = yield* inFile ?? Effect.die("no file")
    const to = yield* inPostgres ?? Effect.die("no PostgreSQL")
    if (typeof from !== "string" || typeof to === "string") return
    const on = <A, E>(
      place: Place,
      use: Effect.Effect<A, E, Layer.Layer.Success<typeof layer> | SqlClient.SqlClient>
    ) =>
      use.pipe(
        Effect.provide(layer.pipe(Layer.provideMerge(Database.layer(place)), Layer.provide(NodeContext.layer))),
        Effect.provide(TestContext.TestContext)
      )
    const before = yield* on(from, Effect.zipRight(Effect.zipRight(lived, Effect.zipRight(looked, asked)), told))
    const signOfLife = (at: number) =>
      Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.zipRight(sql`DELETE FROM pause WHERE scope = 'agent'`, sql`UPDATE agent SET seen = ${at}`)
      ).pipe(Effect.provide(Database.layer(from)))
    yield* signOfLife(yield* Clock.currentTimeMillis)
    expect((yield* Effect.flip(moveInto(from, to))).message).toContain("Stop it first")
    yield* signOfLife(1)
    // One that stands still for minutes gives no sign of life, and has the directory all the same.
    yield* moveInto(from, to).pipe(
      Effect.flip,
      Effect.tap(({ message }) => Effect.sync(() => expect(message).toContain("Stop it first"))),
      Effect.provide(alone(from))
    )
    // Killed in the moment in which all was copied, and the file had its name still.
    const first = yield* moveInto(from, to)
    renameSync(first.moved, `${from}/journal.db`)
    const { entries, moved } = yield* moveInto(from, to)
    expect(entries).toBe(first.entries)
    renameSync(moved, `${from}/journal.db`)
    // Unless somebody has worked on the file since.
    yield* Effect.flatMap(
      SqlClient.SqlClient,
      (sql) =>
        sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at) VALUES ('a', 'b', 1, 'c', 'd', 1)`
    ).pipe(Effect.provide(Database.layer(from)))
    expect((yield* Effect.flip(moveInto(from, to))).message).toContain("two do not make one")
    renameSync(`${from}/journal.db`, moved)
    expect(existsSync(moved)).toBe(true)
    expect(existsSync(`${from}/journal.db`)).toBe(false)
    const after = yield* on(to, Effect.zipRight(TestClock.adjust("190 seconds"), told))
    // A start ends what the process before has left open.
    expect(after).toEqual({ ...before, pauses: [] })
    // Where it left off: new entries come after those that were moved.
    yield* on(to, lived)
    expect((yield* Effect.flip(moveInto(from, to))).message).toContain("is there already")
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer), Logger.withMinimumLogLevel(LogLevel.Warning))
)
