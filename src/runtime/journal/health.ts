/**
 * Whether the journal can be written. Where it cannot (no room, a disk that refuses, a PostgreSQL that is away) no order gets on: so this looks
 * whether it can again, says so once, and everybody else waits for it. Each order by itself used to try, to say so, and to rest for up to half a
 * minute when it could be written again (docs/decisions/0074-one-looks-whether-the-journal-is-back.md).
 */
import { SqlClient, type SqlError } from "@effect/sql"
import { Clock, Context, Duration, Effect, FiberSet, Layer } from "effect"
import { makeDoor } from "../../core/index.js"
import { isFull, PostgresSays } from "../database/postgres.js"
import { hintFor } from "../database/sayings.js"
import { hears, reasonOf, straight } from "../database/sql.js"
import { Metrics } from "../metrics/index.js"
import { databaseReminder, journalProbe } from "../schedules.js"

export interface Away {
  /** The database's own words. */
  readonly reason: string
  /** ms since 1970 */
  readonly since: number
}

export class JournalHealth extends Context.Tag("site-actors/runtime/JournalHealth")<
  JournalHealth,
  {
    /** Why it cannot be written now; `undefined`: it can, as far as anybody has tried. */
    readonly away: Effect.Effect<Away | undefined>
    /** Waits while it cannot be written. Whoever was refused is sure to wait, if it was not about its own statement alone. */
    readonly passed: Effect.Effect<void>
  }
>() {
  /** `owner`: this process's name, by which its signs of life stand in the database. */
  static readonly layer = (owner: string) => Layer.scoped(JournalHealth, make(owner))
}

/** Another reason than the one that was said is worth a line, but not with each look. */
const otherReason = Duration.toMillis("1 minute")

const make = (owner: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const metrics = yield* Metrics
    // Not in the name of the order that noticed it first.
    const run = yield* FiberSet.makeRuntime<never>()
    const gate = makeDoor(true)
    let isLooking = false
    let away: Away | undefined
    let said = { reason: "", at: 0 }

    const ask = straight(sql)
    /**
     * A ms more changes nothing for anybody, and has to reach the disk. SQLite writes nothing at all where a row stays as it is, and such a look goes
     * through on a disk that refuses everything.
     */
    const write = ask(sql`UPDATE agent SET seen = seen + 1 WHERE owner = ${owner}`)
    /**
     * PostgreSQL finds room for that in a page that it has, on a disk on which it makes no new one: each order tried by itself, and nothing said that
     * the disk is full. This takes 8 MB there, twice what it keeps in memory by default (`work_mem`), and leaves nothing.
     */
    const room = ask(
      sql`WITH page AS MATERIALIZED (SELECT repeat('x', 8192) FROM generate_series(1, 1024)) SELECT count(*) FROM page`
    )
    let lacksRoom = false
    const probe = Effect.suspend(() => (lacksRoom ? Effect.zipRight(room, write) : write))

    const note = (error: SqlError.SqlError) =>
      Effect.gen(function* () {
        const reason = reasonOf(error)
        const toDo = error.cause instanceof PostgresSays ? `. ${hintFor(error.cause)}` : ""
        metrics.journalFailed()
        const now = yield* Clock.currentTimeMillis
        const before = away
        away = { reason, since: before?.since ?? now }
        const rest = reason === said.reason ? databaseReminder : otherReason
        if (before !== undefined && now - said.at < rest)
          return yield* Effect.logDebug(`Not to be written yet: ${reason}`)
        said = { reason, at: now }
        yield* Effect.logWarning(
          before === undefined
            ? `The journal cannot be written: ${reason}. Orders wait, and go on when it can${toDo}`
            : `The journal still cannot be written, for ${seconds(now - before.since)} now: ${reason}${toDo}`
        )
      })

    const opens = Effect.gen(function* () {
      const before = away
      isLooking = false
      lacksRoom = false
      away = undefined
      yield* gate.open
      if (before === undefined) return
      const now = yield* Clock.currentTimeMillis
      yield* Effect.logInfo(`The journal can be written again, after ${seconds(now - before.since)}`)
    })

    /** At once, and then again and again: a statement may fail by itself, and that is no reason for others to wait. */
    const look = probe.pipe(Effect.tapError(note), Effect.retry(journalProbe), Effect.zipRight(opens))

    yield* hears(sql, (error) =>
      Effect.suspend(() => {
        lacksRoom ||= isFull(error)
        if (isLooking) return Effect.void
        isLooking = true
        return Effect.map(gate.close, () => void run(look))
      }).pipe(Effect.uninterruptible)
    )
    return { away: Effect.sync(() => away), passed: gate.passed }
  })

const seconds = (ms: number): string => Duration.format(Duration.seconds(Math.round(ms / 1000)))
