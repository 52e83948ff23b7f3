/** A PostgreSQL that does not know the last of what was written: a backup, or a standby in its place. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { openProcess, order, processes, resource } from "../../../test/support/journals.js"
import { database } from "../../../test/support/postgres.js"
import { wholeOrder } from "../../core/index.js"
import type { Postgres } from "../database/place.js"
import * as Database from "./database.js"
import { Journal } from "./journal.js"
import { migrations } from "./tables/migrations.js"

const test = <E>(name: string, run: () => Effect.Effect<void, E, Scope.Scope>) => it.scopedLive(name, run)

describe("a PostgreSQL that is another one than it was", () => {
  const known = Effect.gen(function* () {
    const journal = yield* Journal
    const events = (n: number) => Effect.map(journal.story(order(n)), (story) => story.map(({ event }) => event))
    return { open: yield* events(1), ended: yield* events(2), restored: yield* journal.startedFromBackup }
  })
  const filled = (place: Postgres) =>
    Effect.gen(function* () {
      const process = yield* openProcess(place)
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        for (const n of [1, 2]) {
          const entries = yield* journal.order(order(n), yield* journal.lease(resource(n), "one"))
          yield* entries.append(wholeOrder, "accepted", { offering: "f" })
          if (n === 2) yield* entries.append(wholeOrder, "done")
        }
      }).pipe(Effect.provide(process))
      return process
    })

  test("has whatever was in work looked for before it is made: a dump that was put back", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(2)
      yield* Effect.scoped(filled(place))
      // As pg_restore into a new database leaves it: all of the rows, and nothing of where they were.
      yield* query("UPDATE home SET here = replace(here, split_part(here, ' ', 1), '1')")
      const [again] = yield* processes(place, 2)
      const found = yield* Effect.provide(known, again ?? (yield* openProcess(place)))
      expect(found.open).toEqual(["accepted", "restored"])
      expect(found.ended).toEqual(["accepted", "done"])
      expect(found.restored._tag).toBe("Some")
    }))

  test("is noticed while the agent runs, by the next connection: another server in its place", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(2)
      const process = yield* filled(place)
      expect((yield* Effect.provide(known, process)).open).toEqual(["accepted"])
      yield* query("UPDATE home SET here = left(here, -8) || '000000FF'")
      yield* query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'site-actors %'")
      // The first may still find the broken connection.
      const found = yield* Effect.retry(Effect.provide(known, process), { times: 5 })
      expect(found.open).toEqual(["accepted", "restored"])
    }))

  test("has whatever was in work looked for, too, when a dump is put back over its own tables", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(2)
      yield* Effect.scoped(filled(place))
      // As `pg_restore --clean` does it: the table is another one, with the rows that it had.
      yield* query("ALTER TABLE home RENAME TO before")
      yield* query("CREATE TABLE home AS SELECT * FROM before")
      yield* query("DROP TABLE before")
      expect((yield* Effect.provide(known, yield* openProcess(place))).open).toEqual(["accepted", "restored"])
    }))

  test("gives no lease for a second time that it has forgotten, while who had it sleeps", () =>
    Effect.gen(function* () {
      const { place, query } = yield* database(4)
      const [asleep, awake] = yield* processes(place, 2)
      if (asleep === undefined || awake === undefined) return
      const taken = (n: number) =>
        Effect.gen(function* () {
          const journal = yield* Journal
          const lease = yield* journal.lease(resource(n), "one")
          return { lease, entries: yield* journal.order(order(n), lease) }
        })
      yield* Effect.provide(taken(1), asleep)
      // Of both the standby has not heard: that the first one was taken once more, and of the second one nothing.
      const had = yield* Effect.provide(Effect.all([taken(1), taken(2)]), asleep)
      yield* query("UPDATE lease SET epoch = epoch - 1")
      yield* query("DELETE FROM lease WHERE epoch = 0")
      yield* query("UPDATE home SET here = left(here, -8) || '000000FF'")
      yield* query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'site-actors %'")

      yield* Effect.retry(Effect.provide(Effect.all([taken(1), taken(2)]), awake), { times: 5 })
      for (const { entries, lease } of had) {
        const holds = Effect.flatMap(Journal, (journal) => journal.holds(lease)).pipe(Effect.provide(asleep))
        expect(yield* Effect.retry(holds, { times: 5 })).toBe(false)
        expect((yield* Effect.flip(entries.append("group", "started")))._tag).toBe("LeaseLost")
      }
    }))

  test("is still noticed when its tables are brought up to date in the same start, and is the same when they are", () =>
    Effect.gen(function* () {
      // The one with which a table says where it is (`tables/home.ts`).
      const version = 13
      const [before, since] = [migrations.slice(0, version - 1), migrations.slice(0, version)]
      const started = (place: Postgres, list: typeof migrations) =>
        Effect.scoped(Layer.build(Layer.provide(Database.layer(place, list), NodeContext.layer)))
      const marks = "SELECT count(*)::int AS marks FROM journal WHERE event = 'restored'"
      const { place, query } = yield* database(2)
      yield* started(place, before)
      yield* query(`INSERT INTO journal (order_id, resource_id, epoch, step, event, at, data)
        VALUES ('${order(1)}', '${resource(1)}', 1, 'order', 'accepted', 1, '{"offering": "f"}')`)
      yield* started(place, since)
      expect(yield* query(marks)).toEqual([{ marks: 0 }])
      // Not upgraded, and put back elsewhere.
      yield* query(`DELETE FROM schema_version WHERE version = ${version}`)
      yield* query("UPDATE home SET here = '1 2 00000001'")
      yield* started(place, since)
      expect(yield* query(marks)).toEqual([{ marks: 1 }])
    }))
})
