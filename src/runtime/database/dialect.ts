/**
 * What SQLite and PostgreSQL say differently: all of it is here, so that every statement stands in one place, in words that both know.
 *
 * Common ground, beside these: no booleans (0 and 1; a condition that is selected is a CASE), numbers are `INTEGER` (64 bit, as numbers that
 * JavaScript counts exactly), no `max(a, b)`, no column beside an aggregate that is not grouped by, `CAST(x AS BIGINT)`, and a parameter
 * is compared with a column, never with another parameter: PostgreSQL takes its type from there.
 */
import type { SqlClient, Statement } from "@effect/sql"
import { wholeOrder } from "../../core/index.js"

const in2 = <A>(sql: SqlClient.SqlClient, both: { readonly sqlite: () => A; readonly pg: () => A }): A =>
  sql.onDialectOrElse({ pg: both.pg, orElse: both.sqlite })

/** May several processes work on this database at a time? A file belongs to one. */
export const isShared = (sql: SqlClient.SqlClient): boolean => in2(sql, { sqlite: () => false, pg: () => true })

/**
 * At the end of a SELECT: what it finds stays as it is until the statement that it stands in is over. In a file nobody else writes meanwhile
 * anyway.
 */
export const kept = (sql: SqlClient.SqlClient): Statement.Fragment =>
  in2(sql, { sqlite: () => sql``, pg: () => sql`FOR SHARE` })

/**
 * The `step` of what concerns the order as a whole, as it stands in the index of such entries. Bound as a value, SQLite would prepare the statement
 * anew, with all triggers, each time that it is bound, because the choice of that index hangs on it: 0.5 ms of an acceptance's 0.6.
 */
export const orderAsAWhole = (sql: SqlClient.SqlClient): Statement.Fragment => sql.literal(`'${wholeOrder}'`)

/** A text out of a column that holds JSON; NULL if it is not there, or not JSON. */
export const said = (sql: SqlClient.SqlClient, column: string, ...path: ReadonlyArray<string>): Statement.Fragment =>
  sql.literal(in2(sql, { sqlite: () => saidIn.sqlite, pg: () => saidIn.postgres })(column, path))

/** The same as text, for triggers. */
export const saidIn = {
  sqlite: (column: string, path: ReadonlyArray<string>): string =>
    `CASE WHEN json_valid(${column}) THEN CAST(json_extract(${column}, '${["$", ...path].join(".")}') AS TEXT) END`,
  // A function of ours (`journal/tables/migrations.ts`): a cast would fail.
  postgres: (column: string, path: ReadonlyArray<string>): string =>
    `said_in(${column}${path.map((name) => `, '${name}'`).join("")})`
}

/** A condition: the column holds something that is not JSON. */
export const isNoJson = (sql: SqlClient.SqlClient, column: string): Statement.Fragment =>
  sql.literal(
    in2(sql, {
      sqlite: () => `(${column} IS NOT NULL AND NOT json_valid(${column}))`,
      pg: () => `(${column} IS NOT NULL AND said_in(${column}) IS NULL AND ${column} <> 'null')`
    })
  )

/** `value` of each element of a JSON array of objects: `value ->> 'name'` is text. */
export const each = (sql: SqlClient.SqlClient, objects: ReadonlyArray<unknown>): Statement.Fragment => {
  const json = JSON.stringify(objects, wellFormed)
  return in2(sql, {
    sqlite: () => sql`json_each(${json})`,
    pg: () => sql`json_array_elements(CAST(${json} AS json)) AS each (value)`
  })
}

/** `value` of each element of an array of texts. */
export const eachText = (sql: SqlClient.SqlClient, texts: ReadonlyArray<string>): Statement.Fragment => {
  const json = JSON.stringify(texts, wellFormed)
  return in2(sql, {
    sqlite: () => sql`json_each(${json})`,
    pg: () => sql`json_array_elements_text(CAST(${json} AS json)) AS each (value)`
  })
}

/** Writes rows as they came out of such a table. */
export const rowsInto = (
  sql: SqlClient.SqlClient,
  table: string,
  columns: ReadonlyArray<string>,
  rows: ReadonlyArray<unknown>
): Statement.Fragment => {
  const names = sql.literal(columns.join(", "))
  const into = sql`INSERT INTO ${sql(table)} (${names})`
  return in2(sql, {
    sqlite: () =>
      sql`${into} SELECT ${sql.literal(columns.map((name) => `value ->> '${name}'`).join(", "))} FROM ${each(sql, rows)}`,
    pg: () =>
      sql`${into} SELECT ${names} FROM json_populate_recordset(CAST(NULL AS ${sql(table)}), CAST(${JSON.stringify(rows, wellFormed)} AS json))`
  })
}

/** PostgreSQL has no text with a NUL in it, and none with half a character. */
export const storable = (text: string): string =>
  text.replaceAll("\u0000", "\ufffd").replace(/\p{Surrogate}/gu, "\ufffd")

const wellFormed = (_: string, value: unknown): unknown => (typeof value === "string" ? storable(value) : value)

/** `LIKE` that takes a for A, of ASCII. */
export const like = (sql: SqlClient.SqlClient): Statement.Fragment =>
  sql.literal(in2(sql, { sqlite: () => "LIKE", pg: () => "ILIKE" }))

/** A name as it is sorted and compared: a for A, of ASCII. In SQLite the column says so itself. */
export const folded = (sql: SqlClient.SqlClient, name: Statement.Fragment): Statement.Fragment =>
  in2(sql, { sqlite: () => name, pg: () => sql`lower(${name} COLLATE "C")` })

/** The later, or higher, of two. */
export const later = (
  sql: SqlClient.SqlClient,
  one: Statement.Fragment,
  other: Statement.Fragment
): Statement.Fragment =>
  in2(sql, { sqlite: () => sql`max(${one}, ${other})`, pg: () => sql`greatest(${one}, ${other})` })

/** A statement that makes tables, as it stands in `journal/tables/migrations.ts`, for PostgreSQL. */
export const forPostgres = (statement: string): string =>
  statement
    .replace(/\bINTEGER PRIMARY KEY AUTOINCREMENT\b/g, "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
    .replace(/\bINTEGER\b/g, "BIGINT")
    .replace(/\bREAL\b/g, "DOUBLE PRECISION")
    .replace(/ COLLATE NOCASE\b/g, "")
    // Sorted by bytes, as in SQLite, whatever the server's locale is, and whichever version of it.
    .replace(/\bTEXT\b/g, 'TEXT COLLATE "C"')
    .replace(/\bSTRICT$/, "")
