/** Orders in pages: from the short rows that the journal's triggers keep (`journal/known.ts`), each page a look at an index. */
import { SqlClient, type Statement } from "@effect/sql"
import { Effect, Schema } from "effect"
import { type OrderFilter, type OrderRow, OrderState, OrderType } from "../../api/index.js"
import type { JournalUnavailable } from "../../core/index.js"
import { like } from "../database/dialect.js"
import { unavailable } from "../database/sql.js"
import { type BadQuestion, cursorOf, pageOf, readCursor, searchOf, usualPage } from "./paging.js"

export interface OrderQuestion {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  readonly offering?: string | undefined
  readonly resource?: string | undefined
  readonly state?: OrderFilter | undefined
  readonly type?: OrderType | undefined
  readonly search?: string | undefined
}

/** An offering's uuid -> its name; what the configuration does not have any more is called by its uuid. */
export type Names = (offering: string) => string

interface Row {
  readonly seq: number
  readonly order: string
  readonly resource: string
  readonly name: string
  readonly offering: string
  readonly project: string
  readonly type: string
  readonly state: string
  readonly accepted: number
  readonly ended: number | null
  readonly lastAt: number
  readonly last: string
  readonly retries: number
}

const columns = `seq, order_id AS "order", resource_id AS resource, name, offering, project, type, state, accepted, ended,
  last_at AS "lastAt", last, retries`

const isState = Schema.is(OrderState)
const isType = Schema.is(OrderType)

const rowOf =
  (names: Names) =>
  ({ seq: _seq, project: _project, ...row }: Row): OrderRow => ({
    ...row,
    offeringName: names(row.offering),
    type: isType(row.type) ? row.type : null,
    state: isState(row.state) ? row.state : "executing"
  })

const stateIs = (sql: SqlClient.SqlClient, state: OrderFilter) =>
  state === "open" ? sql`ended IS NULL` : state === "ended" ? sql`ended IS NOT NULL` : sql`state = ${state}`

const conditions = (sql: SqlClient.SqlClient, question: OrderQuestion): ReadonlyArray<Statement.Fragment> => {
  const { offering, resource, state, type } = question
  const search = searchOf(question.search)
  return [
    ...(offering === undefined ? [] : [sql`offering = ${offering}`]),
    ...(resource === undefined ? [] : [sql`resource_id = ${resource}`]),
    ...(state === undefined ? [] : [stateIs(sql, state)]),
    ...(type === undefined ? [] : [sql`type = ${type}`]),
    ...(search === undefined
      ? []
      : [
          sql.or([
            sql`name ${like(sql)} ${search.like} ESCAPE '\\'`,
            ...(search.uuid === null
              ? []
              : [
                  sql`order_id >= ${search.uuid.from} AND order_id < ${search.uuid.until}`,
                  sql`resource_id >= ${search.uuid.from} AND resource_id < ${search.uuid.until}`
                ])
          ])
        ])
  ]
}

/** The statement of a page, for the test that holds it to its index as well. */
export const orderPage = (
  sql: SqlClient.SqlClient,
  question: OrderQuestion,
  before: number | undefined,
  limit: number
) =>
  sql<Row>`SELECT ${sql.literal(columns)} FROM known_order
    WHERE ${sql.and([...conditions(sql, question), ...(before === undefined ? [] : [sql`seq < ${before}`])])}
    ORDER BY seq DESC LIMIT ${limit}`

/** The newest first. */
export const orderList = (names: Names, question: OrderQuestion) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const limit = question.limit ?? usualPage
    const before =
      question.cursor === undefined ? undefined : (yield* readCursor(Schema.Tuple(Schema.Int), question.cursor))[0]
    const rows = yield* unavailable(orderPage(sql, question, before, limit + 1))
    const [count] = yield* unavailable(
      sql<{
        readonly total: number
      }>`SELECT count(*) AS total FROM known_order WHERE ${sql.and(conditions(sql, question))}`
    )
    const page = pageOf(rows, limit, count?.total ?? 0, ({ seq }) => cursorOf(seq))
    return { ...page, rows: page.rows.map(rowOf(names)) }
  })

type Found<A> = Effect.Effect<A, JournalUnavailable, SqlClient.SqlClient>

/** One order in short, with its project's name. */
export const orderRow = (names: Names, order: string): Found<(OrderRow & { readonly project: string }) | undefined> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<Row>`SELECT ${sql.literal(columns)} FROM known_order WHERE order_id = ${order}`
    return row === undefined ? undefined : { ...rowOf(names)(row), project: row.project }
  }).pipe(unavailable)

/** Those of these orders that the journal knows. */
export const orderRows = (names: Names, orders: ReadonlyArray<string>): Found<ReadonlyArray<OrderRow>> =>
  orders.length === 0
    ? Effect.succeed([])
    : Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const rows = yield* sql<Row>`SELECT ${sql.literal(columns)} FROM known_order
          WHERE order_id IN ${sql.in(orders)} ORDER BY seq DESC`
        return rows.map(rowOf(names))
      }).pipe(unavailable)

export type { BadQuestion }
