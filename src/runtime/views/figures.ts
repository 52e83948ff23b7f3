/** Counts and series out of the short rows of the journal. */
import { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import type { OrderCounts, Series, Span } from "../../api/index.js"
import type { JournalUnavailable } from "../../core/index.js"
import type { CallWindows } from "../activity/windows.js"
import { unavailable } from "../database/sql.js"

type Found<A> = Effect.Effect<A, JournalUnavailable, SqlClient.SqlClient>

export const noOrders: OrderCounts = { executing: 0, waits: 0, undoing: 0, quarantined: 0, doneToday: 0, erredToday: 0 }

const columnOf: Readonly<Record<string, keyof OrderCounts>> = {
  executing: "executing",
  waits: "waits",
  undoing: "undoing",
  quarantined: "quarantined",
  done: "doneToday",
  erred: "erredToday"
}

/** By offering. `today`: since when what has ended is counted. */
export const orderCounts = (today: number): Found<ReadonlyMap<string, OrderCounts>> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ readonly offering: string; readonly state: string; readonly count: number }>`
      SELECT offering, state, count(*) AS count FROM known_order WHERE ended IS NULL GROUP BY offering, state
      UNION ALL
      SELECT offering, state, count(*) AS count FROM known_order WHERE ended >= ${today} GROUP BY offering, state`
    const counts = new Map<string, OrderCounts>()
    for (const { count, offering, state } of rows) {
      const column = columnOf[state]
      if (column !== undefined) counts.set(offering, { ...(counts.get(offering) ?? noOrders), [column]: count })
    }
    return counts
  }).pipe(unavailable)

export const sumOf = (counts: Iterable<OrderCounts>): OrderCounts => {
  const sum = { ...noOrders }
  for (const one of counts) {
    sum.executing += one.executing
    sum.waits += one.waits
    sum.undoing += one.undoing
    sum.quarantined += one.quarantined
    sum.doneToday += one.doneToday
    sum.erredToday += one.erredToday
  }
  return sum
}

export interface ResourceCounts {
  /** By offering: those that have not ended. */
  readonly resources: ReadonlyMap<string, number>
  readonly differing: number
  readonly leftovers: number
}

export const resourceCounts: Found<ResourceCounts> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ readonly offering: string; readonly count: number }>`
    SELECT offering, count(*) AS count FROM known_resource WHERE life <> 'ended' GROUP BY offering`
  const [found] = yield* sql<{ readonly differing: number; readonly leftovers: number }>`
    SELECT (SELECT count(DISTINCT resource_id) FROM difference) AS differing, (SELECT count(*) FROM leftover) AS leftovers`
  return {
    resources: new Map(rows.map(({ count, offering }) => [offering, count])),
    differing: found?.differing ?? 0,
    leftovers: found?.leftovers ?? 0
  }
}).pipe(unavailable)

export const retriesSince = (since: number): Found<number> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ readonly count: number }>`
      SELECT count(*) AS count FROM journal WHERE event = 'interrupted' AND at >= ${since}`
    return row?.count ?? 0
  }).pipe(unavailable)

const spans: Readonly<Record<Span, { readonly step: number; readonly buckets: number }>> = {
  hour: { step: 60_000, buckets: 60 },
  day: { step: 900_000, buckets: 96 }
}

/** `part` of the sorted values, as the nearest one; `null` of none. */
const percentile = (values: ReadonlyArray<number>, part: number): number | null =>
  values[Math.max(0, Math.ceil(values.length * part) - 1)] ?? null

/** `calls`: what was recorded since `began`. */
export const seriesOf = (
  span: Span,
  now: number,
  calls: { readonly windows: CallWindows; readonly began: number }
): Found<Series> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const { buckets, step } = spans[span]
    const first = Math.floor(now / step) * step - (buckets - 1) * step
    const at = Array.from({ length: buckets }, (_, index) => first + index * step)
    const bucketOf = (time: number) => Math.floor((time - first) / step)
    const counted = (times: ReadonlyArray<number>) => {
      const counts = at.map(() => 0)
      for (const time of times) {
        const bucket = bucketOf(time)
        counts[bucket] = (counts[bucket] ?? 0) + 1
      }
      return counts.slice(0, buckets)
    }
    const accepted = yield* sql<{
      readonly at: number
    }>`SELECT accepted AS at FROM known_order WHERE accepted >= ${first}`
    const ended = yield* sql<{ readonly at: number; readonly state: string; readonly ms: number }>`
      SELECT ended AS at, state, ended - accepted AS ms FROM known_order WHERE ended >= ${first}`
    const retries = yield* sql<{ readonly at: number }>`
      SELECT at FROM journal WHERE event = 'interrupted' AND at >= ${first}`
    const lengths = at.map((): Array<number> => [])
    for (const one of ended) if (one.state === "done") lengths[bucketOf(one.at)]?.push(one.ms)
    for (const some of lengths) some.sort((a, b) => a - b)
    const endedAs = (state: string) => counted(ended.filter((one) => one.state === state).map((one) => one.at))
    const { began, windows } = calls
    return {
      step,
      at,
      orders: {
        accepted: counted(accepted.map((one) => one.at)),
        done: endedAs("done"),
        erred: endedAs("erred"),
        p50: lengths.map((some) => percentile(some, 0.5)),
        p95: lengths.map((some) => percentile(some, 0.95))
      },
      systems: windows.systems.map((system) => {
        const all = at.map((from) => (from + step <= began ? null : windows.window(system, from, from + step)))
        return {
          system,
          calls: all.map((one) => one?.calls ?? null),
          errors: all.map((one) => one?.errors ?? null),
          p50: all.map((one) => one?.p50 ?? null),
          p95: all.map((one) => one?.p95 ?? null)
        }
      }),
      retries: counted(retries.map((one) => one.at))
    }
  }).pipe(unavailable)
