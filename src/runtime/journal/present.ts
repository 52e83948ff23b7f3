/** Which processes are there, as the address book says, and which of them do not reach each other. Empty with one process. */
import { SqlClient } from "@effect/sql"
import { type Duration, Effect, Schema } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { asking } from "../database/sql.js"
import { databaseNowLess } from "./tables/cluster.js"

const Present = Schema.Array(
  Schema.Struct({
    address: Schema.String,
    owner: Schema.String,
    machine: Schema.Number,
    healthy: Schema.Number,
    seen: Schema.Number,
    unreached: Schema.NullOr(Schema.parseJson(Schema.Array(Schema.String))),
    since: Schema.NullOr(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Number })))
  })
)
export type Present = (typeof Present.Type)[number]

/** Those that have given a sign of life within `lapse`, in the order in which they came. */
export const present = (
  lapse: Duration.Duration
): Effect.Effect<ReadonlyArray<Present>, JournalUnavailable, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.flatMap(
      Effect.disconnect(
        asking(sql)(sql`
          SELECT address, owner, machine, healthy, seen, unreached, unreached_since AS since FROM cluster_runner
          WHERE seen > ${databaseNowLess(sql, lapse)} ORDER BY machine`)
      ),
      (rows) => Effect.orDie(Schema.decodeUnknown(Present)(rows))
    )
  )

/** Two processes of which one at least does not reach the other, though both reach the database. */
export interface CutOff {
  /** "host:pid at address". Who does not reach the other one. */
  readonly from: string
  readonly to: string
  /** Neither reaches the other. */
  readonly both: boolean
  /** ms since 1970; `undefined`: not known. */
  readonly since: number | undefined
  readonly sentence: string
}

export const toOpen =
  "Check that the port is open between all of these machines (firewall, NetworkPolicy), and cluster.host."

/** Which process, to people. */
export const named = ({ address, owner }: Pick<Present, "address" | "owner">): string => `${owner} at ${address}`

export const cutOffs = (all: ReadonlyArray<Present>): ReadonlyArray<CutOff> =>
  all.flatMap((one, at) =>
    all.slice(at + 1).flatMap((other): ReadonlyArray<CutOff> => {
      const there = one.unreached?.includes(other.address) === true
      const back = other.unreached?.includes(one.address) === true
      if (!there && !back) return []
      const [from, to] = there ? [one, other] : [other, one]
      const began = [one.since?.[other.address], other.since?.[one.address]].filter((time) => time !== undefined)
      const left = [from, to].filter(({ healthy }) => healthy === 0).map(({ owner }) => owner)
      return [
        {
          from: named(from),
          to: named(to),
          both: there && back,
          since: began.length === 0 ? undefined : Math.min(...began),
          sentence: `${there && back ? `${named(from)} and ${named(to)} do not reach each other` : `${named(from)} does not reach ${named(to)}`}, though both reach the database.${left.length === 0 ? "" : ` Others have the resources of ${left.join(" and ")} meanwhile.`}`
        }
      ]
    })
  )
