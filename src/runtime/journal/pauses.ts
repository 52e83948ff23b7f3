/**
 * When orders could not go on, through no fault of their own: their offering was stopped or one of its servers away, or no agent ran.
 * Kept, so that an order's deadline counts only the time in which it could have been carried out, also after a restart.
 */
import { SqlClient } from "@effect/sql"
import { Clock, Context, Effect, Layer } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { heartbeat } from "../schedules.js"
import { asking, unavailable } from "./sql.js"

export interface Pause {
  /** An offering's id, or `agent`. */
  readonly scope: string
  readonly reason: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** `null`: it lasts. */
  readonly until: number | null
}

/** The scope of the pauses in which no agent ran. */
export const wholeAgent = "agent"

export class Pauses extends Context.Tag("site-actors/runtime/Pauses")<
  Pauses,
  {
    /** Nothing happens if the scope is paused already. */
    readonly began: (scope: string, reason: string) => Effect.Effect<void, JournalUnavailable>
    readonly ended: (scope: string) => Effect.Effect<void, JournalUnavailable>
    /** Milliseconds between `since` and `until` in which the scope, or the whole agent, was paused. */
    readonly total: (scope: string, since: number, until: number) => Effect.Effect<number, JournalUnavailable>
  }
>() {}

/** The length of the union of all pauses, as far as it lies between `since` and `until`; in ms. */
export const pausedMillis = (
  pauses: ReadonlyArray<Pick<Pause, "since" | "until">>,
  since: number,
  until: number
): number => {
  let counted = since
  let total = 0
  for (const pause of pauses.toSorted((a, b) => a.since - b.since)) {
    const from = Math.max(pause.since, counted)
    const to = Math.min(pause.until ?? until, until)
    if (to <= from) continue
    total += to - from
    counted = to
  }
  return total
}

/**
 * Says that this process lives, and what the time since the last sign of life of the one before was: a pause of all. One process per
 * data directory: whatever an earlier one left open has ended with it.
 */
const signOfLife = (owner: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* sql<{ readonly seen: number | null }>`SELECT max(seen) AS seen FROM agent`
    const seen = row?.seen ?? null
    if (seen !== null) {
      yield* sql`UPDATE pause SET until = CASE scope WHEN ${wholeAgent} THEN ${now} ELSE max(since, ${seen}) END
        WHERE until IS NULL`
      yield* sql`INSERT INTO pause (scope, reason, since, until)
        SELECT ${wholeAgent}, 'The agent did not run.', ${seen}, ${now} WHERE ${seen} < ${now}`
      yield* sql`DELETE FROM agent WHERE owner <> ${owner}`
    }
    // A stop that was asked for is known at once; after a kill, the silence tells.
    yield* Effect.addFinalizer(() =>
      Clock.currentTimeMillis.pipe(
        Effect.tap((at) => sql`UPDATE agent SET seen = ${at} WHERE owner = ${owner}`),
        Effect.flatMap(
          (at) => sql`INSERT INTO pause (scope, reason, since) VALUES (${wholeAgent}, 'The agent was stopped.', ${at})`
        ),
        Effect.catchAll((error) => Effect.logDebug("The stop could not be written down", error))
      )
    )
    yield* sql`INSERT INTO agent (owner, started, seen) VALUES (${owner}, ${now}, ${now})
      ON CONFLICT (owner) DO UPDATE SET started = excluded.started, seen = excluded.seen`
    yield* Clock.currentTimeMillis.pipe(
      Effect.flatMap((at) => asking(sql)(sql`UPDATE agent SET seen = ${at} WHERE owner = ${owner}`)),
      Effect.catchAll((error) => Effect.logDebug("No sign of life could be written", error)),
      Effect.schedule(heartbeat),
      Effect.forkScoped
    )
  })

/** `owner`: this process's name. */
export const layer = (owner: string): Layer.Layer<Pauses, JournalUnavailable, SqlClient.SqlClient> =>
  Layer.scoped(
    Pauses,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ask = asking(sql)
      yield* unavailable(signOfLife(owner))
      return {
        began: (scope, reason) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            ask(sql`INSERT INTO pause (scope, reason, since)
              SELECT ${scope}, ${reason}, ${now}
              WHERE NOT EXISTS (SELECT 1 FROM pause WHERE scope = ${scope} AND until IS NULL)`)
          ),
        ended: (scope) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            ask(sql`UPDATE pause SET until = max(since, ${now}) WHERE scope = ${scope} AND until IS NULL`)
          ),
        total: (scope, since, until) =>
          Effect.map(
            ask(sql<Pick<Pause, "since" | "until">>`
              SELECT since, until FROM pause
              WHERE scope IN ${sql.in([scope, wholeAgent])} AND since < ${until} AND (until IS NULL OR until > ${since})`),
            (pauses) => pausedMillis(pauses, since, until)
          )
      }
    })
  )
