/**
 * What the journal has open of offerings that the configuration does not have (any more): nobody carries it out, so it is said, and its time stands
 * still until they are put back.
 */
import { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import { countOf, type JournalUnavailable, OrderId } from "../../core/index.js"
import { unavailable } from "../database/sql.js"
import { Pauses } from "../journal/pauses.js"
import { Metrics } from "../metrics/index.js"
import { absentRound } from "../schedules.js"
import { forgetDifferencesBut } from "./store.js"

export interface Absent {
  readonly offering: string
  readonly orders: ReadonlyArray<{ readonly order: string; readonly type: string }>
  /** How many things of its failed orders could not be removed. */
  readonly leftovers: number
  /** Of the first of these; ms since 1970. */
  readonly since: number
}

interface Row {
  readonly offering: string
  readonly order: string
  readonly type: string
  readonly at: number
  /** 0: it is open. */
  readonly leftovers: number
}

/** `configured`: uuids of the offerings that there are. */
export const absentOfferings = (
  configured: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Absent>, JournalUnavailable, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const others = configured.length === 0 ? sql`1 = 1` : sql`offering NOT IN ${sql.in(configured)}`
    const rows = yield* sql<Row>`
      SELECT offering, order_id AS "order", type, accepted AS at, 0 AS leftovers FROM known_order
      WHERE ended IS NULL AND ${others}
      UNION ALL
      SELECT offering, order_id AS "order", type, ended AS at,
        (SELECT count(*) FROM leftover WHERE leftover.order_id = known_order.order_id) AS leftovers
      FROM known_order
      WHERE order_id IN (SELECT order_id FROM leftover) AND ended IS NOT NULL AND ${others}
      ORDER BY 4, 2`
    const found = new Map<string, Absent>()
    for (const { at, leftovers, offering, order, type } of rows) {
      const known = found.get(offering) ?? { offering, orders: [], leftovers: 0, since: at }
      found.set(offering, {
        ...known,
        orders: leftovers === 0 ? [...known.orders, { order, type }] : known.orders,
        leftovers: known.leftovers + Number(leftovers)
      })
    }
    return [...found.values()]
  }).pipe(unavailable)

const counted = (count: number, what: string): ReadonlyArray<string> => (count === 0 ? [] : [countOf(count, what)])

/** "2 orders and 1 leftover of offering 4f.. wait: ..." */
export const sentenceOf = ({ leftovers, offering, orders }: Absent): string =>
  `${[...counted(orders.length, "order"), ...counted(leftovers, "leftover")].join(" and ")} of offering ${offering} cannot go on: the configuration does not have it (any more).`

export const toDo =
  "Put it back with this waldur_offering_uuid and its old settings, until its orders have ended and nothing of them is left."

/** Looks for as long as the agent runs; says what it finds once, and once more when it has changed. `configured`: here, or in another process. */
export const watchAbsent = (
  configured: Effect.Effect<ReadonlyArray<string>, JournalUnavailable, SqlClient.SqlClient>
) =>
  Effect.gen(function* () {
    const metrics = yield* Metrics
    const pauses = yield* Pauses
    let said = ""
    let waiting: ReadonlyArray<OrderId> = []
    const round = Effect.gen(function* () {
      const here = yield* configured
      const absent = yield* absentOfferings(here)
      // Nobody would find out that they are gone. The first look after it is back finds them again.
      yield* forgetDifferencesBut(here)
      const orders: Array<OrderId> = []
      for (const { offering, orders: open } of absent) {
        yield* pauses.began(offering, "The configuration does not have it (any more).")
        for (const { order, type } of open) {
          const id = OrderId.make(order)
          orders.push(id)
          metrics.orderIs(id, { offering, type, state: "waiting" })
        }
      }
      // With several processes one that has the offering may have ended it.
      for (const order of waiting) if (!orders.includes(order)) metrics.orderLeft(order)
      waiting = orders
      const now = absent.map(sentenceOf).join(" ")
      if (now !== said && now !== "") yield* Effect.logWarning(`${now} ${toDo}`)
      said = now
    }).pipe(
      Effect.catchAll((error) => Effect.logDebug(`Orders of absent offerings are not looked for: ${error.message}`))
    )
    yield* Effect.repeat(round, absentRound)
  })
