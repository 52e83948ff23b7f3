/** Who may write about a resource: one at a time, and each statement says so. */
import type { SqlClient } from "@effect/sql"
import type { Moment, ResourceId } from "../../core/index.js"
import { kept } from "../database/dialect.js"

/** The right to act for one resource, until somebody takes a newer one. */
export interface Lease {
  readonly resource: ResourceId
  readonly epoch: number
  /** When the database was last asked whether it still holds, and said yes. */
  readonly confirmed: { at: Moment }
}

/**
 * The condition, for a statement, that nobody has taken a newer lease; nor can, before the statement is over. Whoever takes one waits for it,
 * and reads what it has written.
 */
export const leaseHolds = (sql: SqlClient.SqlClient, { resource, epoch }: Pick<Lease, "resource" | "epoch">) =>
  sql`EXISTS (SELECT 1 FROM lease WHERE resource_id = ${resource} AND epoch = ${epoch} ${kept(sql)})`

/**
 * In the place of a resource's uuid: what is left of all leases that were forgotten (`retention.ts`). `epoch`: the highest of them, above which every new
 * lease begins, so that whoever had one of them and slept all the while has lost it still. `at`: what ended before that may be forgotten.
 */
export const forgottenLeases = "forgotten"
