/**
 * A server that has no connection left for this process (max_connections, or a limit of the database's or the user's). Those that are open have to do
 * for a while: whoever asks waits for its turn, as where the pool is full. Without that each statement failed that came while another one had the last of them,
 * and one of several processes that gives its signs of life side by side had lost its resources.
 */
import type { SqlError } from "@effect/sql"
import { Duration, Effect } from "effect"
import type { Pool } from "pg"
import { countOf, steadyMillis } from "../../core/index.js"

/** After that more are tried. */
const rest = Duration.toMillis("1 minute")

/** So often it is said. */
const reminder = Duration.toMillis("10 minutes")

/** How often one that asks may be refused: once is enough, unless some that are open close just then, or none is yet and others are on their way. */
const times = 5
const onTheirWay = Duration.millis(100)

/** Runs what asks the pool. `isRefused`: the server has not let this process in, for want of connections; nothing has been sent. */
export const sparing = (pool: Pool, name: string, isRefused: (error: SqlError.SqlError) => boolean) => {
  const most = pool.options.max
  // Not what the pool counts: that has those as well that are only being opened, and may be refused.
  let open = 0
  pool.on("connect", () => void open++)
  pool.on("remove", () => void open--)
  let until = 0
  let said = Number.NEGATIVE_INFINITY
  const fewer = Effect.gen(function* () {
    const now = yield* steadyMillis
    pool.options.max = Math.max(1, Math.min(pool.options.max, open))
    until = now + rest
    if (now - said < reminder) return
    said = now
    yield* Effect.logWarning(
      `${name} has no connection left: this process goes on with fewer than the ${countOf(most, "connection")} that it may have, which takes longer. Raise max_connections there, or lower database_connections here`
    )
  })
  const run = <A>(ask: Effect.Effect<A, SqlError.SqlError>, left = times): Effect.Effect<A, SqlError.SqlError> =>
    Effect.flatMap(steadyMillis, (now) => {
      if (pool.options.max < most && now >= until) pool.options.max = most
      return Effect.catchIf(
        ask,
        (error) => isRefused(error) && left > 0,
        () => {
          const again = run(ask, left - 1)
          return open > 0 ? Effect.zipRight(fewer, again) : Effect.delay(again, onTheirWay)
        }
      )
    })
  return <A>(ask: Effect.Effect<A, SqlError.SqlError>) => run(ask)
}
