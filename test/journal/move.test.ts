/** A journal on its way from its file into PostgreSQL: what is in the way, and what it must not lose there. */
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, LogLevel, type Scope } from "effect"
import type { Place } from "../../src/runtime/database/place.js"
import { backUp } from "../../src/runtime/journal/backup.js"
import { moveInto } from "../../src/runtime/journal/copy.js"
import * as Database from "../../src/runtime/journal/database.js"
import { database } from "../support/postgres.js"

const on = <A, E>(place: Place, use: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.provide(Effect.flatMap(SqlClient.SqlClient, use), Database.layer(place)))

const written = (place: Place) =>
  on(place, (sql) =>
    Effect.map(sql<{ readonly event: string }>`SELECT event FROM journal ORDER BY id`, (rows) =>
      rows.map(({ event }) => event)
    )
  )

const accepted = (place: Place) =>
  on(place, (sql) =>
    Effect.zipRight(
      sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at) VALUES ('a', 'b', 1, 'order', 'accepted', 1)`,
      sql`INSERT INTO lease (resource_id, epoch, owner, at) VALUES ('b', 1, 'one', 1)`
    )
  )

/** A data directory with an order in work, and an empty database. */
const setting = Effect.gen(function* () {
  const directory = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
  yield* accepted(directory)
  const { place, query } = yield* database()
  return { directory, file: `${directory}/journal.db`, place, query }
})

const moving = <A, E>(
  name: string,
  test: Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope | NodeContext.NodeContext>
) => it.scopedLive(name, () => test.pipe(Effect.provide(NodeContext.layer), Logger.withMinimumLogLevel(LogLevel.Error)))

describe("a journal that is moved into PostgreSQL", () => {
  moving(
    "from a backup that was put back and had no start yet has what was in work look for what it may have made",
    Effect.gen(function* () {
      const { directory, file, place } = yield* setting
      const copy = `${directory}/copy.db`
      yield* backUp(file, copy)
      for (const beside of ["", "-wal", "-shm"]) rmSync(`${file}${beside}`, { force: true })
      renameSync(copy, file)
      yield* moveInto(directory, place)
      expect(yield* written(place)).toEqual(["accepted", "restored"])
    })
  )

  moving(
    "stays where it is if an agent has been started on the database before, also one that took no orders",
    Effect.gen(function* () {
      const { directory, file, place } = yield* setting
      yield* on(place, (sql) => sql`INSERT INTO agent (owner, started, seen) VALUES ('two', 1, 1)`)
      const { message } = yield* Effect.flip(moveInto(directory, place))
      expect(message).toContain("The journal stays where it is: the tables in")
      expect(message).toContain("(agent)")
      expect(existsSync(file)).toBe(true)
      expect(yield* written(place)).toEqual([])
    })
  )

  moving(
    "leaves nothing there that could be taken for it when the database takes a part only",
    Effect.gen(function* () {
      const { directory, file, place, query } = yield* setting
      yield* on(place, () => Effect.void)
      // As a full disk refuses it: the last of the tables.
      yield* query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`)
      yield* query("CREATE TRIGGER full_disk BEFORE INSERT ON known_resource FOR EACH ROW EXECUTE FUNCTION full_disk()")
      yield* on(
        directory,
        (sql) => sql`INSERT INTO known_resource (resource_id, offering, name, life) VALUES ('b', 'f', 'n', 'OK')
          ON CONFLICT DO NOTHING`
      )
      expect((yield* Effect.flip(moveInto(directory, place))).message).toContain("No space left on device")
      expect([existsSync(file), existsSync(`${file}.moved`)]).toEqual([true, false])
      expect(yield* written(place)).toEqual([])
      yield* query("DROP TRIGGER full_disk ON known_resource")
      expect((yield* moveInto(directory, place)).entries).toBe(1)
    })
  )

  moving(
    "is not begun anew in the file by an agent that is started with its old configuration",
    Effect.gen(function* () {
      const { directory, file, place } = yield* setting
      const { moved } = yield* moveInto(directory, place)
      const before = readFileSync(moved)
      const { message } = yield* Effect.flip(written(directory))
      expect(message).toContain(`kept as ${moved}`)
      expect(message).toContain("`database`")
      expect([existsSync(file), readFileSync(moved).equals(before)]).toEqual([false, true])
    })
  )
})
