/** The connection to the database file, made anew whenever the old one cannot be trusted any more (`groups.ts`). */
import { Reactivity } from "@effect/experimental"
import { SqlClient, type SqlConnection, Statement } from "@effect/sql"
import { Effect, Layer } from "effect"
import { openFile } from "./file.js"
import { makeGroups } from "./groups.js"
import { type Commit, withOnlyConnection } from "./sql.js"

/** `url`: `file:/var/lib/site-actors/journal.db`. Opened with the first statement. */
export const layer = (url: string): Layer.Layer<SqlClient.SqlClient> =>
  Layer.scoped(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const groups = yield* Effect.acquireRelease(
        Effect.sync(() => makeGroups(() => openFile(url.replace(/^file:/, "")))),
        (all) => Effect.sync(all.close)
      )
      const noSuch = (what: string) => Effect.dieMessage(`the journal's database has no ${what}`)
      const committing = (commit: Commit): SqlConnection.Connection => {
        const run = (text: string, params: ReadonlyArray<unknown>) => groups.run(text, params, commit)
        return {
          execute: run,
          executeUnprepared: run,
          executeRaw: () => noSuch("raw results"),
          executeValues: () => noSuch("values"),
          executeStream: () => Effect.runSync(noSuch("streams"))
        }
      }
      const connection = committing("synchronous")
      const client = yield* SqlClient.make({
        acquirer: Effect.succeed(connection),
        compiler: Statement.makeCompilerSqlite(),
        spanAttributes: [["db.system.name", "sqlite"]]
      })
      return withOnlyConnection(client, connection, committing("asynchronous"))
    })
  ).pipe(Layer.provide(Reactivity.layer))
