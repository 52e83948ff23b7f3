/** What one of several processes has to hear that was said in another: pauses, cancellations, levels of the log. All of it is written down. */
import { SqlClient } from "@effect/sql"
import { Clock, Effect } from "effect"
import { unavailable } from "../database/sql.js"
import { LogLevelsInUse } from "../logs/index.js"
import { Pausings } from "../offerings/pausings.js"
import { Cancellations } from "../orders/cancellations.js"
import { Wakes } from "../orders/wakes.js"
import { hearsay } from "../schedules.js"

/** Never ends, never fails. */
export const hearOthers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const pausings = yield* Pausings
  const cancellations = yield* Cancellations
  const levels = yield* LogLevelsInUse
  const wakes = yield* Wakes
  let since = yield* Clock.currentTimeMillis
  const changeLevels = Effect.gen(function* () {
    const asked = yield* unavailable(sql<{ readonly subject: string; readonly handled: number }>`
      SELECT subject, handled FROM request WHERE kind = 'log-level' AND ok = 1 AND handled > ${since} ORDER BY id`)
    for (const { handled, subject } of asked) {
      levels.change(subject)
      since = Math.max(since, handled)
    }
  })
  // One that waits without a fiber has nobody who listens: it may have been woken before its end was heard of here.
  const hearCancellations = Effect.flatMap(cancellations.refresh, (heard) =>
    Effect.forEach(heard, wakes.wake, { discard: true })
  )
  yield* Effect.all([pausings.refresh, hearCancellations, changeLevels], { discard: true }).pipe(
    Effect.catchAll((error) => Effect.logDebug(`What was said elsewhere is not known: ${error.message}`)),
    Effect.repeat(hearsay)
  )
})
