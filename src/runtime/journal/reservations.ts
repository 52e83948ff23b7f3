/** Values of which no two resources may have the same, such as subnets, in the journal's database. */
import { SqlClient } from "@effect/sql"
import { Effect, Layer } from "effect"
import { type Range, Reservations, type ResourceId } from "../../core/index.js"
import { asking } from "../database/sql.js"

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const unavailable = asking(sql)
  const held = (pool: string, resource: ResourceId) =>
    unavailable(sql<Range>`SELECT first, last FROM reservation WHERE pool = ${pool} AND resource_id = ${resource}`)

  return Reservations.of({
    reserve: (pool, resource, candidates) =>
      Effect.gen(function* () {
        const [own] = yield* held(pool, resource)
        if (own !== undefined) return { first: own.first, last: own.last }
        const taken = yield* unavailable(sql<Range>`SELECT first, last FROM reservation WHERE pool = ${pool}`)
        for (const { first, last } of candidates) {
          if (taken.some((other) => other.first <= last && other.last >= first)) continue
          // Looked at again in the statement itself: another order may have come in between.
          const rows = yield* unavailable(sql`
            INSERT INTO reservation (pool, resource_id, first, last)
            SELECT ${pool}, ${resource}, ${first}, ${last}
            WHERE NOT EXISTS (
              SELECT 1 FROM reservation WHERE pool = ${pool} AND first <= ${last} AND last >= ${first}
            )
            RETURNING first`)
          if (rows.length > 0) return { first, last }
        }
        return undefined
      }),
    release: (pool, resource) =>
      Effect.asVoid(unavailable(sql`DELETE FROM reservation WHERE pool = ${pool} AND resource_id = ${resource}`))
  })
})

export const layer: Layer.Layer<Reservations, never, SqlClient.SqlClient> = Layer.effect(Reservations, make)
