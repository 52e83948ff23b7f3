/**
 * What is done to resources without an order, written down as orders are: started before the call, finished after it, under the lease.
 *
 * A table of its own, as there is nothing to resume: whatever a crash left half done shows as a difference at the next look.
 */
import { randomUUID } from "node:crypto"
import { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import { type JournalError, OrderId, type OrderJournal, wholeOrder } from "../../core/index.js"
import { entriesUnder } from "../journal/entries.js"
import type { Lease } from "../journal/lease.js"

export const Reconciliations = {
  /** The journal of one job: `what` is done, and why. Its id stands where an order's uuid would. */
  begin: (lease: Lease, what: string): Effect.Effect<OrderJournal, JournalError, SqlClient.SqlClient> =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const id = OrderId.make(randomUUID().replaceAll("-", ""))
      const written = yield* entriesUnder(sql, {
        table: "reconciliation",
        id,
        lease,
        before: [],
        tell: () => Effect.void,
        measure: () => undefined
      })
      const journal: OrderJournal = { order: id, resource: lease.resource, ...written }
      yield* journal.append(wholeOrder, "accepted", what)
      return journal
    })
}
