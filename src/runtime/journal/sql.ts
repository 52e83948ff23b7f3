/** What the files of this room share about SQL. */
import type { SqlClient, SqlConnection, SqlError, Statement } from "@effect/sql"
import { Effect } from "effect"
import { JournalUnavailable } from "../../core/index.js"

/** A failing database is a journal that cannot be written: it may pass. The driver's own words, without the statement. */
export const unavailable = <A, R>(
  effect: Effect.Effect<A, SqlError.SqlError, R>
): Effect.Effect<A, JournalUnavailable, R> =>
  Effect.mapError(effect, (error) => new JournalUnavailable({ reason: reasonOf(error) }))

export const reasonOf = (error: SqlError.SqlError): string =>
  error.cause instanceof Error ? error.cause.message : error.message

/** The connections of clients that have just one, and no transaction that a statement would have to run in. */
const onlyConnections = new WeakMap<SqlClient.SqlClient, SqlConnection.Connection>()

/** Says that all statements of `client` may go straight to `connection`. */
export const withOnlyConnection = (
  client: SqlClient.SqlClient,
  connection: SqlConnection.Connection
): SqlClient.SqlClient => {
  onlyConnections.set(client, connection)
  return client
}

/**
 * Like `unavailable`, for statements of which there are many. Around each statement `@effect/sql` makes a span and a scope for its connection:
 * some ninety steps of a fiber, several times what the statement itself takes, and for nothing where there is only one connection.
 */
export const asking = (sql: SqlClient.SqlClient) => {
  const connection = onlyConnections.get(sql)
  return <A>(statement: Statement.Statement<A>): Effect.Effect<ReadonlyArray<A>, JournalUnavailable> =>
    unavailable(
      connection === undefined
        ? statement
        : Effect.suspend(() => {
            const [text, params] = statement.compile()
            return connection.execute(text, params, undefined)
          })
    )
}
