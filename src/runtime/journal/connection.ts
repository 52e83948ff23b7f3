/**
 * The connection to the database file, made anew whenever the old one cannot be trusted any more.
 *
 * A statement that libSQL's driver (0.4) has answered with SQLITE_BUSY is never reset. SQLite therefore counts it as still writing, and
 * everything that is written after it on that connection stays in a transaction that never ends: the driver says that it was written,
 * nobody else sees it, the file stays locked, and with the process it is gone. So after such an answer the connection is dropped.
 */
import { Reactivity } from "@effect/experimental"
import { SqlClient, type SqlConnection, type SqlError, Statement } from "@effect/sql"
import { LibsqlClient } from "@effect/sql-libsql"
import { Effect, Exit, Layer, Option, Ref, Scope } from "effect"
import { firstCome } from "../../core/fairLimiter.js"

/**
 * Of the connection, so they are set on each. `synchronous=FULL`: an acknowledged entry survives a power cut. The wait for a lock stops
 * the whole process, so it is short; whoever wanted to write tries again later.
 */
const settings = ["PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 1000"]

interface Opened {
  readonly connection: SqlConnection.Connection
  readonly scope: Scope.CloseableScope
}

const isBusy = ({ cause }: SqlError.SqlError): boolean =>
  cause instanceof Error && "code" in cause && String(cause.code).startsWith("SQLITE_BUSY")

const open = (url: string): Effect.Effect<Opened, SqlError.SqlError, Reactivity.Reactivity> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    return yield* Effect.gen(function* () {
      const connection = yield* (yield* LibsqlClient.make({ url })).reserve
      for (const setting of settings) yield* connection.executeUnprepared(setting, [], undefined)
      return { connection, scope }
    }).pipe(
      Scope.extend(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  })

/** `url`: `file:/var/lib/site-actors/journal.db`. Opened with the first statement. */
export const layer = (url: string): Layer.Layer<SqlClient.SqlClient> =>
  Layer.scoped(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const current = yield* Ref.make(Option.none<Opened>())
      const oneAtATime = firstCome(1)
      const reactivity = yield* Reactivity.Reactivity

      const drop = Effect.flatMap(
        Ref.getAndSet(current, Option.none()),
        Option.match({ onNone: () => Effect.void, onSome: ({ scope }) => Scope.close(scope, Exit.void) })
      )
      yield* Effect.addFinalizer(() => drop)

      const get = Effect.flatMap(
        Ref.get(current),
        Option.match({
          onSome: Effect.succeed,
          onNone: () => Effect.tap(open(url), (opened) => Ref.set(current, Option.some(opened)))
        })
      ).pipe(Effect.provideService(Reactivity.Reactivity, reactivity))

      const using = <A>(use: (connection: SqlConnection.Connection) => Effect.Effect<A, SqlError.SqlError>) =>
        Effect.flatMap(get, ({ connection }) => use(connection)).pipe(
          Effect.tapError((error) => (isBusy(error) ? drop : Effect.void)),
          oneAtATime,
          Effect.uninterruptible
        )
      const connection: SqlConnection.Connection = {
        execute: (sql, params, transform) => using((own) => own.execute(sql, params, transform)),
        executeRaw: (sql, params) => using((own) => own.executeRaw(sql, params)),
        executeValues: (sql, params) => using((own) => own.executeValues(sql, params)),
        executeUnprepared: (sql, params, transform) => using((own) => own.executeUnprepared(sql, params, transform)),
        executeStream: () => Effect.dieMessage("libSQL's driver has no streams")
      }
      return yield* SqlClient.make({
        acquirer: Effect.succeed(connection),
        compiler: Statement.makeCompilerSqlite(),
        spanAttributes: [["db.system.name", "sqlite"]]
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))
