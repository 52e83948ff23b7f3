import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, TestClock } from "effect"
import * as Connection from "../database/file/connection.js"
import { backUp, startFromBackup } from "./backup.js"
import * as Database from "./database.js"

const inDirectory = <A, E, R>(use: (directory: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-backup-"))),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  ).pipe(Effect.provide(NodeContext.layer))

const write = (order: string, event: string) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`INSERT INTO journal (order_id, resource_id, epoch, step, event, at)
      VALUES (${order}, 'r', 1, 'order', ${event}, 1)`
  )

const written = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql<{
      readonly entry: string
    }>`SELECT order_id || ' ' || event AS entry FROM journal WHERE step = 'order' ORDER BY id`
).pipe(Effect.map((rows) => rows.map(({ entry }) => entry)))

describe("a backup", () => {
  it.effect("that did not come whole when it was put back, as an empty file, is not begun with without a word", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const said: Array<string> = []
        const heard = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void said.push(String(message)))
        )
        const start = Effect.provide(written, Database.layer(directory)).pipe(Effect.provide(heard))
        writeFileSync(join(directory, "journal.db"), "")
        expect(yield* start).toEqual([])
        expect(said).toEqual([expect.stringContaining("journal.db is an empty file: it begins from nothing.")])
        yield* start
        expect(said).toHaveLength(1)
      })
    )
  )

  it.effect("is of one moment, is its owner's alone, and has no files beside it, while the agent writes", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const backup = join(directory, "backup.db")
        const before = process.umask(0o000)
        yield* Effect.gen(function* () {
          yield* write("a", "accepted")
          const bytes = yield* backUp(join(directory, "data", "journal.db"), backup)
          expect(bytes).toBe(statSync(backup).size)
          yield* write("b", "accepted")
        }).pipe(
          Effect.provide(Database.layer(join(directory, "data"))),
          Effect.ensuring(Effect.sync(() => process.umask(before)))
        )
        expect((statSync(backup).mode & 0o777).toString(8)).toBe("600")
        expect(readdirSync(directory).toSorted()).toEqual(["backup.db", "data"])
        expect(yield* Effect.provide(written, Connection.layer(`file:${backup}`))).toEqual(["a accepted"])
      })
    )
  )

  it.effect("replaces no file, and leaves nothing where it cannot be made", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        const journal = join(directory, "journal.db")
        yield* Effect.provide(write("a", "accepted"), Database.layer(directory))
        const backup = join(directory, "backup.db")
        yield* backUp(journal, backup)
        expect((yield* Effect.flip(backUp(journal, backup))).message).toBe(
          `The backup ${backup} cannot be made: there is such a file already. Choose another name: a backup replaces nothing.`
        )
        const nowhere = join(directory, "none", "backup.db")
        expect((yield* Effect.flip(backUp(journal, nowhere))).message).toBe(
          `The backup ${nowhere} cannot be made: there is no such folder. Choose a place where this user may write, with room for the journal.`
        )
        writeFileSync(`${backup}2.part`, "")
        expect((yield* Effect.flip(backUp(journal, `${backup}2`))).message).toContain(
          `${backup}2.part is there, of one that is being made, or was broken off minutes ago. Remove it`
        )
        // Of one that was killed: nobody writes to it any more, and it is in nobody's way.
        yield* TestClock.setTime(Date.now() + 11 * 60_000)
        writeFileSync(`${backup}2.part-journal`, "")
        yield* backUp(journal, `${backup}2`)
        expect(readdirSync(directory).filter((name) => name.startsWith("backup.db2"))).toEqual(["backup.db2"])
        const none = join(directory, "other.db")
        yield* Effect.flip(backUp(backup.replace("backup", "none/none"), none))
        expect(readdirSync(directory).filter((name) => name.startsWith("other"))).toEqual([])
      })
    )
  )

  it.effect("that is started marks what was in work when it was taken, once", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          for (const event of ["accepted", "done"]) yield* write("a", event)
          yield* write("b", "accepted")
          for (const event of ["accepted", "erred", "accepted"]) yield* write("c", event)
          yield* startFromBackup("journal.db")
        }).pipe(Effect.provide(Database.layer(directory)))
        const copy = join(directory, "copy")
        mkdirSync(copy)
        yield* backUp(join(directory, "journal.db"), join(copy, "journal.db"))
        const start = Effect.gen(function* () {
          yield* startFromBackup("journal.db")
          return yield* written
        }).pipe(Effect.provide(Database.layer(copy)))
        const marked = [
          "a accepted",
          "a done",
          "b accepted",
          "c accepted",
          "c erred",
          "c accepted",
          "b restored",
          "c restored"
        ]
        expect(yield* start).toEqual(marked)
        expect(yield* start).toEqual(marked)
      })
    )
  )
})
