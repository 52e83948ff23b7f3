/**
 * The key by which the processes know each other on the wire: made by the first of them, kept in the database that they share. Whoever may read
 * that could do everything anyway, and nobody has to hand a secret round.
 */
import { randomBytes } from "node:crypto"
import { SqlClient } from "@effect/sql"
import { Effect, Redacted } from "effect"
import { JournalUnavailable } from "../../core/index.js"
import { unavailable } from "../database/sql.js"

export type ClusterKey = Redacted.Redacted<Buffer>

export const clusterKey: Effect.Effect<ClusterKey, JournalUnavailable, SqlClient.SqlClient> = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* unavailable(
    sql`INSERT INTO cluster_key (id, secret) VALUES (1, ${randomBytes(32).toString("hex")}) ON CONFLICT (id) DO NOTHING`
  )
  const [row] = yield* unavailable(sql<{ readonly secret: string }>`SELECT secret FROM cluster_key WHERE id = 1`)
  if (row === undefined) return yield* new JournalUnavailable({ reason: "the cluster's key is not there" })
  return Redacted.make(Buffer.from(row.secret, "hex"))
})
