/**
 * One time of day for several processes: the database's. When an order was accepted, or its machine told to boot, one of them writes down, and
 * another one goes by it: with clocks of machines that are minutes apart it would give a machine up that has just begun to boot.
 *
 * Where the clocks agree, as they should, each process has its own. What passes is measured by a clock that nobody sets (`core/lean/elapsed.ts`).
 */
import { SqlClient } from "@effect/sql"
import { Duration, Effect, Layer } from "effect"
import { type JournalUnavailable, withTimeOfDay } from "../../core/index.js"
import { straight, unavailable } from "../database/sql.js"
import { databaseNow } from "../journal/tables/cluster.js"
import { clockLook } from "../schedules.js"

/** ms. So far apart they may be: nothing is decided by less. */
const tolerated = 1_000

interface Measured {
  /** How far the database's clock is ahead of this machine's, in ms. */
  readonly ahead: number
  /** ... as far as can be told: its answer was on its way for as long. */
  readonly unsure: number
}

/** By how much to correct this machine's clock, which was corrected by `before` until now. A database that is slow tells little. */
export const correction = (before: number, { ahead, unsure }: Measured): number => {
  const allowed = tolerated + unsure
  if (Math.abs(ahead - before) <= allowed) return before
  return Math.abs(ahead) <= allowed ? 0 : ahead
}

const inWords = (by: number): string =>
  by === 0
    ? "This machine's clock agrees with the database's again"
    : `This machine's clock is ${Duration.format(Duration.seconds(Math.round(Math.abs(by) / 1000)))} ${by < 0 ? "ahead of" : "behind"} the database's: orders are timed by that one. Set it, as by NTP`

const makeClock = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const run = straight(sql)
  const own = yield* Effect.clock
  let by = 0
  const look = Effect.gen(function* () {
    const asked = own.unsafeCurrentTimeMillis()
    const [row] = yield* unavailable(run(sql<{ readonly now: number }>`SELECT ${databaseNow(sql)} AS now`))
    const answered = own.unsafeCurrentTimeMillis()
    // Set meanwhile: the next look will tell.
    if (row === undefined || answered < asked) return
    const unsure = (answered - asked) / 2
    const now = Math.round(correction(by, { ahead: row.now - asked - unsure, unsure }))
    if (now === by) return
    by = now
    yield* by === 0 ? Effect.logInfo(inWords(by)) : Effect.logWarning(inWords(by))
  })
  yield* look
  yield* look.pipe(
    Effect.catchAll((error) => Effect.logDebug(`The database's clock is not known: ${error.message}`)),
    Effect.schedule(clockLook),
    Effect.forkScoped
  )
  return withTimeOfDay(own, () => own.unsafeCurrentTimeMillis() + by)
})

/** For whatever is built upon it, and the fiber that builds it. */
export const commonClock: Layer.Layer<never, JournalUnavailable, SqlClient.SqlClient> = Layer.unwrapScoped(
  Effect.map(makeClock, Layer.setClock)
)
