/** The tables of a file, brought up to date: whoever else opens it meanwhile waits. */
import { SqlClient } from "@effect/sql"
import { Clock, Effect } from "effect"
import { damaged, isDamage, isFull } from "../../database/file/file.js"
import { reasonOf, straight } from "../../database/sql.js"
import { DatabaseUnusable } from "../unusable.js"
import { entryOf, mayWork, newest } from "./ledger.js"
import { migrations as known, type Migration, statementsFor } from "./migrations.js"

/** The version whose migration made the ledger. */
const firstInLedger = 7

/** Of every version it has the journal's table; one that nothing has been made in yet has none at all. */
const assertOurs = (path: string, version: number) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const tables = yield* sql<{ readonly name: string }>`SELECT name FROM sqlite_master WHERE type = 'table'`
    if (version === 0 ? tables.length === 0 : tables.some(({ name }) => name === "journal")) return
    return yield* new DatabaseUnusable({
      path,
      reason: "it is a database of another program, and no journal",
      hint: "Name the agent's data directory (--data-dir, or data_dir in the configuration), or move that file away."
    })
  })

const migrateFile = (path: string, migrations: ReadonlyArray<Migration>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const run = straight(sql)
    const [row] = yield* sql<{ readonly user_version: number }>`PRAGMA user_version`
    const version = row?.user_version ?? 0
    yield* assertOurs(path, version)
    if (version > migrations.length) {
      const had = yield* newest(sql).pipe(Effect.orElseSucceed(() => undefined))
      yield* mayWork(path, had?.version === version ? had : { version, oldest: version }, migrations)
    }
    if (version >= migrations.length) return
    const at = yield* Clock.currentTimeMillis
    const steps = migrations.flatMap((migration, index) => {
      if (index < version) return []
      const own = statementsFor("sqlite", migration)
      return index + 1 < firstInLedger ? own : [...own, entryOf(index + 1, migration, at)]
    })
    // One script, so that a crash in between leaves either all of it or nothing; and the disk is waited for once.
    const script = ["BEGIN IMMEDIATE", ...steps, `PRAGMA user_version = ${migrations.length}`, "COMMIT"]
    for (const statement of script) yield* run(sql.unsafe(statement))
  })

export const roomForOne = "Check that the disk has room, and that no other agent runs on this data directory."

/** The tables of a file. `path`: for sentences. */
export const prepareFile = (path: string, migrations: ReadonlyArray<Migration> = known) =>
  migrateFile(path, migrations).pipe(
    Effect.catchTag("SqlError", (error) => {
      const cause = reasonOf(error)
      return new DatabaseUnusable({
        path,
        reason: cause,
        hint: isDamage(cause) ? damaged : roomForOne,
        passing: isFull(error.cause)
      })
    })
  )
