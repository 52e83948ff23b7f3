/** How statements are run, on whichever database, and what follows from one that fails. */
import { type SqlClient, type SqlConnection, SqlError, type Statement } from "@effect/sql"
import { Effect, Option, type Scope } from "effect"
import { JournalUnavailable } from "../../core/index.js"

/** A failing database is a journal that cannot be written: it may pass. The driver's own words, without the statement. */
export const unavailable = <A, R>(
  effect: Effect.Effect<A, SqlError.SqlError, R>
): Effect.Effect<A, JournalUnavailable, R> =>
  Effect.mapError(effect, (error) => new JournalUnavailable({ reason: reasonOf(error) }))

export const reasonOf = (error: SqlError.SqlError): string =>
  error.cause instanceof Error ? error.cause.message : error.message

/**
 * When a statement is answered (PostgreSQL's words): `synchronous` when a power cut cannot take any more what it has written, `asynchronous` as soon
 * as all others see it. Whatever is written synchronously takes to the disk what was written before it.
 */
export type Commit = "synchronous" | "asynchronous"

/** The connections of clients whose statements need no other: there is just one, or it is that of a pool. */
const onlyConnections = new WeakMap<SqlClient.SqlClient, Readonly<Record<Commit, SqlConnection.Connection>>>()

/** Says that all statements of `client` may go straight to these. */
export const withOnlyConnection = (
  client: SqlClient.SqlClient,
  synchronous: SqlConnection.Connection,
  asynchronous: SqlConnection.Connection = synchronous
): SqlClient.SqlClient => {
  onlyConnections.set(client, { synchronous, asynchronous })
  return client
}

/**
 * How to run statements of which there are many. Around each statement `@effect/sql` makes a span and a scope for its connection: some fifty
 * steps of a fiber, more than the statement itself takes, and for nothing where there is only one connection. Not for statements of a
 * transaction.
 */
export const straight = (sql: SqlClient.SqlClient) => {
  const connections = onlyConnections.get(sql)
  return <A>(
    statement: Statement.Statement<A>,
    commit: Commit = "synchronous"
  ): Effect.Effect<ReadonlyArray<A>, SqlError.SqlError> =>
    connections === undefined
      ? statement
      : Effect.suspend(() => {
          const [text, params] = statement.compile()
          return connections[commit].execute(text, params, undefined)
        })
}

type Listener = (error: SqlError.SqlError) => Effect.Effect<void>
const listeners = new WeakMap<SqlClient.SqlClient, Listener>()

/** Until the scope closes, `listener` is run whenever a statement of those who ask for the journal has come to nothing, before they hear of it. */
export const hears = (sql: SqlClient.SqlClient, listener: Listener): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => void listeners.set(sql, listener)),
    () => Effect.sync(() => listeners.delete(sql))
  )

/** `straight`, with the error of a journal that cannot be written. */
export const asking = (sql: SqlClient.SqlClient) => {
  const run = straight(sql)
  return <A>(statement: Statement.Statement<A>, commit?: Commit): Effect.Effect<ReadonlyArray<A>, JournalUnavailable> =>
    Effect.catchAll(run(statement, commit), (error) =>
      Effect.zipRight(listeners.get(sql)?.(error) ?? Effect.void, new JournalUnavailable({ reason: reasonOf(error) }))
    )
}

/** All of it or none, on one connection. An end that could not be told is an error as any other; `@effect/sql` takes it for a bug. */
export const together = <A, E, R>(
  sql: SqlClient.SqlClient,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError.SqlError, R> =>
  Effect.catchSomeDefect(sql.withTransaction(work), (defect) =>
    defect instanceof SqlError.SqlError ? Option.some(Effect.fail(defect)) : Option.none()
  )
