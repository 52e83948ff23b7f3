/** Resources in pages: those of which the journal has orders, and those that the last look saw (`journal/known.ts`). */
import { SqlClient, type Statement } from "@effect/sql"
import { Effect, Schema } from "effect"
import { Life, type ResourceFilter, type ResourceRow } from "../../api/index.js"
import { folded, like } from "../database/dialect.js"
import { unavailable } from "../database/sql.js"
import type { Names } from "./orders.js"
import { cursorOf, pageOf, readCursor, searchOf, usualPage } from "./paging.js"

export interface ResourceQuestion {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  readonly offering?: string | undefined
  readonly state?: ResourceFilter | undefined
  readonly search?: string | undefined
}

interface Row {
  readonly resource: string
  readonly name: string
  readonly offering: string
  readonly life: string
  readonly backendId: string | null
  readonly marketplaceState: string | null
  readonly state: string | null
  readonly healthy: number | null
  readonly standing: string | null
  readonly looked: number | null
  readonly differences: number
  readonly order: string | null
}

/** Of rows of `known_resource` as `known`, with what the last look saw as `seen`. */
const columns = `known.resource_id AS resource, known.name AS name, known.offering AS offering, known.life AS life,
  seen.backend_id AS "backendId", seen.marketplace_state AS "marketplaceState", seen.state AS state, seen.healthy AS healthy,
  seen.standing AS standing, seen.at AS looked,
  (SELECT count(*) FROM difference WHERE difference.resource_id = known.resource_id) AS differences,
  (SELECT order_id FROM known_order WHERE known_order.resource_id = known.resource_id AND ended IS NULL LIMIT 1) AS "order"`
const tables = "known_resource AS known LEFT JOIN observation AS seen ON seen.resource_id = known.resource_id"

const isLife = Schema.is(Life)

const rowOf =
  (names: Names) =>
  (row: Row): ResourceRow => ({
    ...row,
    offeringName: names(row.offering),
    life: isLife(row.life) ? row.life : "active",
    backendId: row.backendId ?? "",
    marketplaceState: row.marketplaceState ?? "",
    state: row.state ?? "",
    healthy: row.healthy === null ? null : row.healthy === 1,
    standing: row.standing ?? ""
  })

const stateIs = (sql: SqlClient.SqlClient, state: ResourceFilter | undefined) => {
  switch (state) {
    case undefined:
      return sql`known.life <> 'ended'`
    case "differing":
      return sql`known.resource_id IN (SELECT resource_id FROM difference)`
    case "missing":
      return sql`seen.misses > 0`
    case "unhealthy":
      return sql`seen.healthy = 0`
    case "busy":
      return sql`known.resource_id IN (SELECT resource_id FROM known_order WHERE ended IS NULL)`
    default:
      return sql`known.life = ${state}`
  }
}

const conditions = (sql: SqlClient.SqlClient, question: ResourceQuestion): ReadonlyArray<Statement.Fragment> => {
  const search = searchOf(question.search)
  return [
    ...(question.offering === undefined ? [] : [sql`known.offering = ${question.offering}`]),
    stateIs(sql, question.state),
    ...(search === undefined
      ? []
      : [
          sql.or([
            sql`known.name ${like(sql)} ${search.like} ESCAPE '\\'`,
            sql`seen.backend_id = ${question.search?.trim() ?? ""}`,
            ...(search.uuid === null
              ? []
              : [sql`known.resource_id >= ${search.uuid.from} AND known.resource_id < ${search.uuid.until}`])
          ])
        ])
  ]
}

/** Where a page ended: a name and, as several may have it, a uuid. */
export type After = readonly [name: string, resource: string]

/** The statement of a page, for the test that holds it to its index as well. */
export const resourcePage = (
  sql: SqlClient.SqlClient,
  question: ResourceQuestion,
  after: After | undefined,
  limit: number
) => {
  const name = folded(sql, sql`known.name`)
  const from =
    after === undefined ? [] : [sql`(${name}, known.resource_id) > (${folded(sql, sql`${after[0]}`)}, ${after[1]})`]
  return sql<Row>`SELECT ${sql.literal(columns)} FROM ${sql.literal(tables)}
    WHERE ${sql.and([...conditions(sql, question), ...from])}
    ORDER BY ${name}, known.resource_id LIMIT ${limit}`
}

/** By name. */
export const resourceList = (names: Names, question: ResourceQuestion) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const limit = question.limit ?? usualPage
    const after =
      question.cursor === undefined
        ? undefined
        : yield* readCursor(Schema.Tuple(Schema.String, Schema.String), question.cursor)
    const rows = yield* unavailable(resourcePage(sql, question, after, limit + 1))
    const [count] = yield* unavailable(
      sql<{ readonly total: number }>`SELECT count(*) AS total FROM ${sql.literal(tables)}
        WHERE ${sql.and(conditions(sql, question))}`
    )
    const page = pageOf(rows, limit, count?.total ?? 0, ({ name, resource }) => cursorOf(name, resource))
    return { ...page, rows: page.rows.map(rowOf(names)) }
  })

export const resourceRow = (names: Names, resource: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<Row>`SELECT ${sql.literal(columns)} FROM ${sql.literal(tables)}
      WHERE known.resource_id = ${resource}`
    return row === undefined ? undefined : rowOf(names)(row)
  }).pipe(unavailable)
