/** Processes that start at once on an empty PostgreSQL, of which the first one takes its time. */
import { expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Redacted } from "effect"
import pg from "pg"
import { locks, migrations } from "../../src/runtime/journal/tables/migrations.js"
import { openProcess } from "../support/journals.js"
import { database } from "../support/postgres.js"

it.scopedLive("the others wait for its tables, also for longer than for a table that somebody holds", () =>
  Effect.gen(function* () {
    const { place, query } = yield* database(3)
    // One that stands still in the middle of it: it has the lock, and no table is there yet.
    const first = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const client = new pg.Client({ connectionString: Redacted.value(place.url) })
        await client.connect()
        await client.query("BEGIN")
        await client.query(`SELECT pg_advisory_xact_lock(${locks.migration}, 0)`)
        return client
      }),
      (client) => Effect.promise(() => client.end())
    )
    const next = yield* Effect.fork(Effect.exit(openProcess(place)))
    yield* Effect.sleep("12 seconds")
    expect(next.unsafePoll()).toBeNull()
    yield* Effect.promise(() => first.query("COMMIT"))
    expect(Exit.isSuccess(yield* Fiber.join(next))).toBe(true)
    expect(yield* query("SELECT count(*)::int AS many FROM schema_version")).toEqual([{ many: migrations.length }])
  })
)
