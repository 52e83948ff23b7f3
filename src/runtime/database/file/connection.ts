/** The connection to the database file, made anew whenever the old one cannot be trusted any more (`groups.ts`). */
import { Reactivity } from "@effect/experimental"
import { SqlClient, type SqlConnection, type SqlError, Statement } from "@effect/sql"
import { Effect, Layer } from "effect"
import { type Commit, withOnlyConnection } from "../sql.js"
import { openFile } from "./file.js"
import { makeGroups } from "./groups.js"
import { makeHome } from "./home.js"

/** Runs one statement; its rows, none if it gives none. */
export type Run = (
  text: string,
  params: ReadonlyArray<unknown>,
  commit: Commit
) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>, SqlError.SqlError>

/** A client of SQLite's dialect whose statements all go to `run`, which is all that the journal asks of one. */
export const clientOver = (run: Run): Effect.Effect<SqlClient.SqlClient> => {
  const noSuch = (what: string) => Effect.dieMessage(`the journal's database has no ${what}`)
  const committing = (commit: Commit): SqlConnection.Connection => {
    const execute = (text: string, params: ReadonlyArray<unknown>) => run(text, params, commit)
    return {
      execute,
      executeUnprepared: execute,
      executeRaw: () => noSuch("raw results"),
      executeValues: () => noSuch("values"),
      executeStream: () => Effect.runSync(noSuch("streams"))
    }
  }
  const connection = committing("synchronous")
  return SqlClient.make({
    acquirer: Effect.succeed(connection),
    compiler: Statement.makeCompilerSqlite(),
    spanAttributes: [["db.system.name", "sqlite"]]
  }).pipe(
    Effect.map((client) => withOnlyConnection(client, connection, committing("asynchronous"))),
    Effect.provide(Reactivity.layer)
  )
}

/** `url`: `file:/var/lib/site-actors/journal.db`. Opened with the first statement. */
export const layer = (url: string): Layer.Layer<SqlClient.SqlClient> =>
  Layer.scoped(
    SqlClient.SqlClient,
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => {
          const path = url.replace(/^file:/, "")
          const home = makeHome(path)
          return makeGroups(() => openFile(path, home))
        }),
        (all) => Effect.sync(all.close)
      ),
      (groups) => clientOver(groups.run)
    )
  )
