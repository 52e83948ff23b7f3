/** What went wrong and stays until somebody or something mends it. */
import { SqlClient } from "@effect/sql"
import { Clock, Duration, Effect, Ref, Schema } from "effect"
import type { DifferenceRow, LeftoverRow, Orphans, QuarantineRow } from "../../api/index.js"
import { Quarantine } from "../actors/quarantine.js"
import { like } from "../database/dialect.js"
import { unavailable } from "../database/sql.js"
import { Offerings } from "../offerings/offering.js"
import { findOrphans, type Site } from "../upkeep/index.js"
import { type Names, orderRows } from "./orders.js"
import { cursorOf, pageOf, readCursor, searchOf, usualPage } from "./paging.js"

export const leftoverList = (names: Names) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<Omit<LeftoverRow, "offeringName">>`
      SELECT left_over.order_id AS "order", left_over.resource_id AS resource, coalesce(known.name, '') AS name,
        coalesce(known.offering, '') AS offering, left_over.step AS step, left_over.reason AS reason, left_over.at AS since
      FROM leftover AS left_over LEFT JOIN known_order AS known ON known.order_id = left_over.order_id
      ORDER BY left_over.at, left_over.order_id, left_over.step LIMIT 1000`
    return rows.map((row): LeftoverRow => ({ ...row, offeringName: names(row.offering) }))
  }).pipe(unavailable)

export const quarantineList = (names: Names) =>
  Effect.gen(function* () {
    const held = yield* (yield* Quarantine).all
    const orders = new Map(
      (yield* orderRows(
        names,
        held.map(({ order }) => order)
      )).map((row) => [row.order, row])
    )
    return held.map(({ order, reason, resource, since }): QuarantineRow => {
      const row = orders.get(order)
      return {
        order,
        resource,
        since,
        reason: (reason.split("\n")[0] ?? "").slice(0, 500),
        name: row?.name ?? "",
        offering: row?.offering ?? "",
        offeringName: row?.offeringName ?? ""
      }
    })
  })

export interface DifferenceQuestion {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  readonly offering?: string | undefined
  readonly kind?: string | undefined
  readonly search?: string | undefined
}

const Cursor = Schema.Tuple(Schema.Int, Schema.String, Schema.String, Schema.String)

/** The oldest first. */
export const differenceList = (names: Names, question: DifferenceQuestion) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const limit = question.limit ?? usualPage
    const after = question.cursor === undefined ? undefined : yield* readCursor(Cursor, question.cursor)
    const search = searchOf(question.search)
    const { offering, kind } = question
    const wanted = [
      ...(offering === undefined ? [] : [sql`known.offering = ${offering}`]),
      ...(kind === undefined ? [] : [sql`kind = ${kind}`]),
      ...(search === undefined
        ? []
        : [
            sql.or([
              sql`known.name ${like(sql)} ${search.like} ESCAPE '\\'`,
              ...(search.uuid === null
                ? []
                : [sql`differs.resource_id >= ${search.uuid.from} AND differs.resource_id < ${search.uuid.until}`])
            ])
          ])
    ]
    const from = sql.literal(
      "difference AS differs LEFT JOIN known_resource AS known ON known.resource_id = differs.resource_id"
    )
    const rows = yield* unavailable(sql<Omit<DifferenceRow, "offeringName">>`
      SELECT differs.resource_id AS resource, coalesce(known.name, '') AS name, coalesce(known.offering, '') AS offering,
        kind, subject, expected, found, sentence, policy, since, outcome
      FROM ${from} WHERE ${sql.and([
        ...wanted,
        ...(after === undefined
          ? []
          : [sql`(since, differs.resource_id, kind, subject) > (${after[0]}, ${after[1]}, ${after[2]}, ${after[3]})`])
      ])} ORDER BY since, differs.resource_id, kind, subject LIMIT ${limit + 1}`)
    const [count] = yield* unavailable(
      sql<{ readonly total: number }>`SELECT count(*) AS total FROM ${from} WHERE ${sql.and(wanted)}`
    )
    const page = pageOf(rows, limit, count?.total ?? 0, ({ kind, resource, since, subject }) =>
      cursorOf(since, resource, kind, subject)
    )
    return { ...page, rows: page.rows.map((row): DifferenceRow => ({ ...row, offeringName: names(row.offering) })) }
  })

const patience = Duration.seconds(30)

/** Reads the open offerings' Waldurs and backends. What stands in the way is a sentence in the answer. */
export const orphanList = Effect.gen(function* () {
  const open = [...(yield* Ref.get(yield* Offerings)).values()]
  const sites = open.flatMap(
    (offering): ReadonlyArray<Site> =>
      offering.backend.upkeep === undefined ? [] : [{ ...offering, upkeep: offering.backend.upkeep }]
  )
  const problem = (what: string) => ({ rows: [], problems: [what] })
  const found = yield* findOrphans(sites).pipe(
    Effect.map((orphans) => ({
      rows: orphans.map(({ id, kind, name, resource, site, why }) => ({
        offering: site.id,
        offeringName: site.name,
        kind,
        id: String(id),
        name,
        resource,
        why
      })),
      problems: []
    })),
    Effect.catchAll((error) => Effect.succeed(problem(error.message))),
    Effect.timeoutTo({
      duration: patience,
      onSuccess: (answer) => answer,
      onTimeout: () => problem(`There was no answer within ${Duration.toSeconds(patience)} s.`)
    })
  )
  const orphans: Orphans = { at: yield* Clock.currentTimeMillis, ...found }
  return orphans
})
