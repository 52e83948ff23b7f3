/** Another user of the agent's machine: who may read what is on its disk. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Database from "../../src/runtime/journal/database.js"

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)
const modes = async (directory: string) => ({
  ".": await modeOf(directory),
  ...Object.fromEntries(
    await Promise.all(
      (await readdir(directory)).map(async (name) => [name, await modeOf(join(directory, name))] as const)
    )
  )
})
const shut = { ".": "700", "journal.db": "600", "journal.db-wal": "600", "journal.db-shm": "600" }

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "site-actors-files-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
)
/** A umask under which everybody may read what is made. */
const openUmask = Effect.acquireRelease(
  Effect.sync(() => process.umask(0o000)),
  (before) => Effect.sync(() => process.umask(before))
)
/** The modes while the database is open and has been written to. */
const opened = (directory: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS t (x)`
    yield* sql`INSERT INTO t VALUES (1)`
    return yield* Effect.promise(() => modes(directory))
  }).pipe(Effect.provide(Database.layer(directory)), Effect.provide(NodeContext.layer))

describe("the data directory", () => {
  it.scopedLive("is made for its owner alone, write-ahead log and shared memory too, whatever the umask", () =>
    Effect.gen(function* () {
      yield* openUmask
      const directory = join(yield* temporary, "data")
      expect(yield* opened(directory)).toEqual(shut)
    })
  )

  it.scopedLive("is shut if it was open before", () =>
    Effect.gen(function* () {
      yield* openUmask
      const directory = join(yield* temporary, "data")
      yield* Effect.promise(async () => {
        await mkdir(directory, { mode: 0o777 })
        for (const name of ["journal.db", "journal.db-wal", "journal.db-shm"]) {
          await writeFile(join(directory, name), "")
          await chmod(join(directory, name), 0o666)
        }
      })
      expect(yield* opened(directory)).toEqual(shut)
    })
  )
})

it("the program makes no file for others, and leaves the environment out of diagnostic reports", async () => {
  const main = await readFile("src/runtime/main.ts", "utf8")
  expect(main).toContain("process.umask(0o077)")
  expect(main).toContain("process.report.excludeEnv = true")
})
