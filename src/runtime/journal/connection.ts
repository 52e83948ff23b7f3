/** The connection to the database file, made anew whenever the old one cannot be trusted any more (`groups.ts`). */
import { Reactivity } from "@effect/experimental"
import { SqlClient, type SqlConnection, Statement } from "@effect/sql"
import { Effect, Layer } from "effect"
import { openFile } from "./file.js"
import { makeGroups } from "./groups.js"
import { withOnlyConnection } from "./sql.js"

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
      const connection: SqlConnection.Connection = {
        execute: groups.run,
        executeUnprepared: groups.run,
        executeRaw: () => noSuch("raw results"),
        executeValues: () => noSuch("values"),
        executeStream: () => Effect.runSync(noSuch("streams"))
      }
      const client = yield* SqlClient.make({
        acquirer: Effect.succeed(connection),
        compiler: Statement.makeCompilerSqlite(),
        spanAttributes: [["db.system.name", "sqlite"]]
      })
      return withOnlyConnection(client, connection)
    })
  ).pipe(Layer.provide(Reactivity.layer))
