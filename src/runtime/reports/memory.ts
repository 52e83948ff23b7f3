/** What Waldur was told: kept in the journal's database, so that after a restart nothing is told twice. */
import { SqlClient } from "@effect/sql"
import { Context, Effect, Layer } from "effect"
import type { JournalUnavailable, OfferingId, ResourceId } from "../../core/index.js"
import { unavailable } from "../database/sql.js"
import type { Told } from "./verdicts.js"

export interface ToldRow extends Told {
  readonly resource: ResourceId
  /** YYYY-MM-01 */
  readonly period: string
  readonly component: string
  /** The resource has ended, and its last figures have been told. */
  readonly final: boolean
}

export class UsageMemory extends Context.Tag("site-actors/runtime/UsageMemory")<
  UsageMemory,
  {
    /** What is known of an offering's resources from this period on. */
    readonly since: (offering: OfferingId, period: string) => Effect.Effect<ReadonlyArray<ToldRow>, JournalUnavailable>
    /** The newest wins. */
    readonly keep: (offering: OfferingId, rows: ReadonlyArray<ToldRow>) => Effect.Effect<void, JournalUnavailable>
  }
>() {
  /** Remembers nothing: for a look without a journal. */
  static readonly none = Layer.succeed(UsageMemory, { since: () => Effect.succeed([]), keep: () => Effect.void })
}

interface Row {
  readonly resource_id: ResourceId
  readonly period: string
  readonly component: string
  readonly amount: number
  readonly refusal: string | null
  readonly at: number
  readonly final: number
}

export const layer: Layer.Layer<UsageMemory, never, SqlClient.SqlClient> = Layer.effect(
  UsageMemory,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    return {
      since: (offering, period) =>
        unavailable(
          Effect.map(
            sql<Row>`SELECT resource_id, period, component, amount, refusal, at, final FROM usage_told
              WHERE offering_id = ${offering} AND period >= ${period}`,
            (rows) =>
              rows.map(
                ({ resource_id, refusal, final, ...row }): ToldRow => ({
                  ...row,
                  resource: resource_id,
                  final: final === 1,
                  ...(refusal === null ? {} : { refusal })
                })
              )
          )
        ),
      keep: (offering, rows) =>
        rows.length === 0
          ? Effect.void
          : unavailable(
              // One statement, so that a crash leaves all of them or none.
              sql`INSERT INTO usage_told ${sql.insert(
                rows.map(({ resource, period, component, amount, refusal, at, final }) => ({
                  offering_id: offering,
                  resource_id: resource,
                  period,
                  component,
                  amount,
                  refusal: refusal ?? null,
                  at,
                  final: final ? 1 : 0
                }))
              )} ON CONFLICT (resource_id, period, component) DO UPDATE SET
                offering_id = excluded.offering_id, amount = excluded.amount, refusal = excluded.refusal, at = excluded.at,
                final = excluded.final`
            )
    }
  })
)
