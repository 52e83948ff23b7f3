/**
 * What is done to resources without an order, written down as orders are: started before the call, finished after it, under the lease.
 *
 * A table of its own, as there is nothing to resume: whatever a crash left half done shows as a difference at the next look.
 */
import { randomUUID } from "node:crypto"
import { SqlClient } from "@effect/sql"
import { Clock, Effect, Ref } from "effect"
import {
  type JournalEntry,
  type JournalError,
  LeaseLost,
  OrderId,
  type OrderJournal,
  wholeOrder
} from "../../core/index.js"
import { fencedInsert, type Lease } from "../journal/journal.js"
import { unavailable } from "../journal/sql.js"

export const Reconciliations = {
  /** The journal of one job: `what` is done, and why. Its id stands where an order's uuid would. */
  begin: (lease: Lease, what: string): Effect.Effect<OrderJournal, JournalError, SqlClient.SqlClient> =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const job = OrderId.make(randomUUID().replaceAll("-", ""))
      const entries = yield* Ref.make<ReadonlyArray<JournalEntry>>([])
      const lost = new LeaseLost({ resource: lease.resource, epoch: lease.epoch })
      const append = (step: string, event: string, data?: unknown): Effect.Effect<void, JournalError> =>
        Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          const json = data === undefined ? null : JSON.stringify(data)
          const rows = yield* unavailable(fencedInsert(sql, "reconciliation", job, lease, { step, event, at, json }))
          if (rows.length === 0) return yield* lost
          yield* Ref.update(entries, (all) => [...all, { step, event, at, ...(data === undefined ? {} : { data }) }])
        })
      const journal: OrderJournal = {
        order: job,
        resource: lease.resource,
        since: lease.taken,
        entries: Ref.get(entries),
        append
      }
      yield* journal.append(wholeOrder, "accepted", what)
      return journal
    })
}
