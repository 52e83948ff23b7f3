/**
 * When orders could not go on, through no fault of their own: their offering was stopped or one of its servers away, or no agent ran.
 * Kept, so that an order's deadline counts only the time in which it could have been carried out, also after a restart.
 *
 * Of several processes on one database each has pauses of its own: where one of them cannot reach a server, its orders' time stands still, and
 * for simplicity everybody else's of that offering too.
 */
import { SqlClient } from "@effect/sql"
import { type Cause, Clock, Context, Effect, Layer, Ref } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { isShared, later } from "../database/dialect.js"
import { asking, unavailable } from "../database/sql.js"
import { Metrics } from "../metrics/index.js"
import { heartbeat } from "../schedules.js"

export interface Pause {
  /** An offering's id, an order's, or `agent`. */
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
    /** This process's name, by which its pauses are known. */
    readonly owner: string
    /** Nothing happens if the scope is paused already. */
    readonly began: (scope: string, reason: string) => Effect.Effect<void, JournalUnavailable>
    readonly ended: (scope: string) => Effect.Effect<void, JournalUnavailable>
    /** Milliseconds between `since` and `until` in which one of the scopes, or the whole agent, was paused. */
    readonly total: (
      scopes: ReadonlyArray<string>,
      since: number,
      until: number
    ) => Effect.Effect<number, JournalUnavailable>
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

/** An agent that runs gives a sign of life every 5 s. */
export const longSilence = 20_000

/** Those that live beside `owner`: nobody, beside the one process that a file has. */
const othersThatLive = (sql: SqlClient.SqlClient, owner: string, now: number) =>
  isShared(sql)
    ? sql`SELECT owner FROM agent WHERE owner <> ${owner} AND seen >= ${now - longSilence}`
    : sql`SELECT owner FROM agent WHERE 1 = 0`

/**
 * Whatever those that are gone have left open ended when they were last seen. Two processes may both do it: the second one finds nothing.
 * `own`: whether what `owner` has open is of a process that is gone, too.
 */
const closeFor = (sql: SqlClient.SqlClient, owner: string, now: number, own: boolean) =>
  Effect.gen(function* () {
    const living = othersThatLive(sql, owner, now)
    const last = sql`coalesce((SELECT max(seen) FROM agent WHERE agent.owner = pause.owner),
      (SELECT max(seen) FROM agent), since)`
    yield* sql`UPDATE pause SET until = ${later(sql, sql`since`, last)}
      WHERE until IS NULL AND scope <> ${wholeAgent}
        AND (owner IS NULL OR owner NOT IN (${living})) ${own ? sql`` : sql`AND owner <> ${owner}`}`
    yield* sql`DELETE FROM agent WHERE owner <> ${owner} AND owner NOT IN (${living})`
  })

/** Somebody runs: one that has ended may have thought that it was the last, as of one that was suspended nothing is heard. */
const endAllPaused = (sql: SqlClient.SqlClient, now: number) =>
  sql`UPDATE pause SET until = ${later(sql, sql`since`, sql`${now}`)} WHERE until IS NULL AND scope = ${wholeAgent}`

/** A pause of all, that is over. */
const allPaused = (sql: SqlClient.SqlClient, owner: string, reason: string, since: number, until: number) =>
  since < until
    ? sql`INSERT INTO pause (scope, reason, since, until, owner) VALUES (${wholeAgent}, ${reason}, ${since}, ${until}, ${owner})`
    : Effect.void

const othersLive = (sql: SqlClient.SqlClient, owner: string, now: number) =>
  Effect.map(othersThatLive(sql, owner, now), (rows) => rows.length > 0)

/** Nobody's end waits long for a server that does not answer: the silence of this process tells as much. */
const briefly = <E, R>(words: Effect.Effect<void, E, R>): Effect.Effect<void, E | Cause.TimeoutException, R> =>
  Effect.timeout(Effect.interruptible(Effect.disconnect(words)), "2 seconds")

/**
 * Says that this process lives, and what the time was since the last sign of life of all those before it: a pause of all. So is the time in
 * which this process could not write its journal. Gives when it was heard of last.
 */
const signOfLife = (owner: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const run = asking(sql)
    const metrics = yield* Metrics
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* sql<{ readonly seen: number | null }>`SELECT max(seen) AS seen FROM agent`
    const seen = row?.seen ?? null
    if (seen !== null) {
      yield* endAllPaused(sql, now)
      if (!(yield* othersLive(sql, owner, now))) {
        yield* allPaused(sql, owner, "The agent did not run.", seen, now)
      }
      yield* closeFor(sql, owner, now, true)
    }
    const live = (at: number) =>
      run(sql`INSERT INTO agent (owner, started, seen) VALUES (${owner}, ${now}, ${at})
        ON CONFLICT (owner) DO UPDATE SET started = excluded.started, seen = excluded.seen`)
    // A stop that was asked for is known at once; after a kill, the silence tells.
    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        yield* live(at)
        if (yield* othersLive(sql, owner, at)) {
          yield* sql`UPDATE pause SET until = ${later(sql, sql`since`, sql`${at}`)} WHERE until IS NULL AND owner = ${owner}`
        } else {
          yield* sql`INSERT INTO pause (scope, reason, since, owner)
            VALUES (${wholeAgent}, 'The agent was stopped.', ${at}, ${owner})`
        }
      }).pipe(
        (words) => (isShared(sql) ? briefly(words) : words),
        Effect.catchAll((error) => Effect.logDebug("The stop could not be written down", error))
      )
    )
    yield* live(now)
    const heard = yield* Ref.make(now)
    yield* Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      yield* live(at)
      if (isShared(sql)) yield* endAllPaused(sql, at)
      const before = yield* Ref.getAndSet(heard, at)
      const wasAway = at - before > longSilence
      if (wasAway) yield* allPaused(sql, owner, "The journal could not be written.", before, at)
      // Whoever was away itself knows nothing of the others.
      else if (isShared(sql)) yield* closeFor(sql, owner, at, false)
    }).pipe(
      Effect.catchAll((error) =>
        // While no order is at work nothing else would tell.
        Effect.zipRight(Effect.sync(metrics.journalFailed), Effect.logDebug("No sign of life could be written", error))
      ),
      Effect.schedule(heartbeat),
      Effect.forkScoped
    )
    return Ref.get(heard)
  })

/** `owner`: this process's name, unlike that of any other that works on this database. */
export const layer = (owner: string): Layer.Layer<Pauses, JournalUnavailable, SqlClient.SqlClient> =>
  Layer.scoped(
    Pauses,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const ask = asking(sql)
      const heard = yield* Effect.catchTag(signOfLife(owner), "SqlError", (error) => unavailable(Effect.fail(error)))
      /** Its clock was set forward, or its whole machine suspended, and whoever asks does so before the next sign of life, which says it for good. */
      const silent = (until: number) =>
        Effect.map(heard, (since) => (until - since > longSilence ? [{ since, until }] : []))
      return {
        owner,
        began: (scope, reason) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            ask(sql`INSERT INTO pause (scope, reason, since, owner)
              SELECT ${scope}, ${reason}, ${now}, ${owner}
              WHERE NOT EXISTS (SELECT 1 FROM pause WHERE scope = ${scope} AND until IS NULL AND owner = ${owner})`)
          ),
        ended: (scope) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) =>
            ask(sql`UPDATE pause SET until = ${later(sql, sql`since`, sql`${now}`)}
              WHERE scope = ${scope} AND until IS NULL AND owner = ${owner}`)
          ),
        total: (scopes, since, until) =>
          Effect.zipWith(
            ask(sql<Pick<Pause, "since" | "until">>`
              SELECT since, until FROM pause
              WHERE scope IN ${sql.in([...scopes, wholeAgent])} AND since < ${until} AND (until IS NULL OR until > ${since})`),
            silent(until),
            (pauses, silence) => pausedMillis([...pauses, ...silence], since, until)
          )
      }
    })
  )
