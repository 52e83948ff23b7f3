/**
 * The connections to a PostgreSQL that keeps the journal, over the `pg` package itself: with each statement prepared once on a connection, and
 * without `@effect/sql-pg` around it, an entry took half the processor time (docs/decisions/0040-postgres.md). Behind a pooler that keeps no
 * prepared statements it goes without (docs/decisions/0061-poolers.md).
 *
 * Nothing here waits for ever: a server that is gone without a word is given up after `patience`. Whether a statement that was given up has
 * been carried out is not known then, and nobody may rest on either: an order's next attempt reads the journal again and looks before it makes.
 */
import { createHash } from "node:crypto"
import { Reactivity } from "@effect/experimental"
import { SqlClient, type SqlConnection, SqlError, Statement } from "@effect/sql"
import { Cause, Clock, Data, Duration, Effect, Exit, Layer, Runtime, type Scope, Stream } from "effect"
import type { CustomTypesConfig, Pool, PoolClient, QueryArrayConfig, QueryConfig } from "pg"
import { codeOf, countOf } from "../../core/index.js"
import { version } from "../version.js"
import { storable } from "./dialect.js"
import { forDriver, type Postgres } from "./place.js"
import { sparing } from "./sparing.js"
import { withOnlyConnection } from "./sql.js"

/** For the way to a connection: one that is free, or a new one; and for one statement, if nothing else is said. */
const patience = Duration.seconds(10)

/** Beyond this it is assumed that texts are being made up, with values in them. */
const mostPrepared = 200

/** The driver's own words; of several addresses that were tried, of the first. */
const wordsOf = (cause: unknown): string => {
  if (cause instanceof AggregateError && cause.message === "") return wordsOf(cause.errors[0])
  return cause instanceof Error ? cause.message : String(cause)
}

/** What the server or the way to it says; `code`: SQLSTATE, or Node's. */
export class PostgresSays extends Data.TaggedError("PostgresSays")<{
  readonly message: string
  readonly code: string
}> {}

const says =
  (code: RegExp) =>
  ({ cause }: SqlError.SqlError): boolean =>
    cause instanceof PostgresSays && code.test(cause.code)

const asSqlError = (cause: unknown): SqlError.SqlError =>
  new SqlError.SqlError({
    cause: new PostgresSays({
      message: wordsOf(cause),
      code: codeOf(cause instanceof AggregateError ? cause.errors[0] : cause, "")
    }),
    message: "Failed to execute statement"
  })

/** One of the pool's, or all of them. */
interface Queryable {
  readonly query: {
    (config: QueryConfig<Array<unknown>>): Promise<{ readonly rows: ReadonlyArray<Readonly<Record<string, unknown>>> }>
    (config: QueryArrayConfig<Array<unknown>>): Promise<{ readonly rows: ReadonlyArray<ReadonlyArray<unknown>> }>
  }
}

const valueOf = (param: unknown): unknown => (typeof param === "string" ? storable(param) : (param ?? null))

/**
 * The pool's own limits have been seen not to hold: a process that was started while the server was away had statements that never came back, and so
 * could not even end (`npm run cluster`). Whatever the reason, after this nobody waits any more.
 */
const within = <A>(longest: Duration.Duration, asked: Promise<A>): Promise<A> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no answer within ${Duration.toSeconds(longest)} s`)),
      Duration.toMillis(longest)
    )
    asked.then(resolve, reject).finally(() => clearTimeout(late))
  })

/** Which statements are prepared, by what name. */
interface Prepared {
  readonly nameOf: (text: string) => string | undefined
  /** From now on none is. */
  readonly giveUp: Effect.Effect<void>
}

const unprepared: Prepared = { nameOf: () => undefined, giveUp: Effect.void }

/** "prepared statement s... already exists", or "... does not exist": the server has not even begun with it. */
const isNotKept = says(/^(42P05|26000)$/)

/** "sorry, too many clients already", "too many connections for role ...". */
const isRefused = says(/^53300$/)

/** "could not extend file ...: No space left on device". */
export const isFull = says(/^53100$/)

type Around = ReturnType<typeof sparing>

const makeConnection = (
  of: Queryable,
  { giveUp, nameOf }: Prepared,
  forOne: Duration.Duration,
  around: Around = (ask) => ask
): SqlConnection.Connection => {
  // The way to a connection, and the statement.
  const longest = Duration.sum(Duration.sum(patience, forOne), Duration.seconds(1))
  const trying = <A>(ask: () => Promise<A>) =>
    // What has been sent cannot be taken back: whoever sent it hears what became of it.
    around(Effect.uninterruptible(Effect.tryPromise({ try: () => within(longest, ask()), catch: asSqlError })))
  const run = (text: string, params: ReadonlyArray<unknown>, name: string | undefined) =>
    trying(async () => {
      const { rows } = await of.query({ text, values: params.map(valueOf), ...(name === undefined ? {} : { name }) })
      return rows
    })
  return {
    execute: (text, params) =>
      Effect.suspend(() => {
        const name = nameOf(text)
        const asked = run(text, params, name)
        return name === undefined
          ? asked
          : Effect.catchIf(asked, isNotKept, () => Effect.zipRight(giveUp, run(text, params, undefined)))
      }),
    executeUnprepared: (text, params) => run(text, params, undefined),
    executeRaw: (text, params) => trying(() => of.query({ text, values: params.map(valueOf) })),
    executeValues: (text, params) =>
      trying(async () => (await of.query({ text, values: params.map(valueOf), rowMode: "array" })).rows),
    executeStream: () => Stream.dieMessage("the journal's database has no streams")
  }
}

/** `int8` and `numeric` as numbers: counts and times, all of them far below 2^53. */
const numbers = (types: CustomTypesConfig["getTypeParser"]): CustomTypesConfig => {
  const asNumber = (text: string) => Number(text)
  const whole = 20
  const decimal = 1700
  return {
    getTypeParser: (oid: number, format?: "text" | "binary") =>
      oid === whole || oid === decimal ? asNumber : format === "binary" ? types(oid, format) : types(oid, "text")
  }
}

const errorOf = (cause: Cause.Cause<SqlError.SqlError>): Error => {
  const error = Cause.squash(cause)
  const own = error instanceof SqlError.SqlError ? error.cause : error
  return own instanceof Error ? own : new Error(wordsOf(own))
}

/** A connection that breaks: whoever uses it hears it of the statement, and the pool takes no broken one back. */
const heardThere = () => undefined

/**
 * What a server, a database or a user may have set otherwise. A second statement has to see what was committed before it: of two that reserve at once
 * the later one sees nothing of the earlier one where a transaction keeps its first sight. And what was acknowledged has to outlive the server's processes;
 * more than that, as a standby's word, is for whoever runs it.
 */
const ownSettings = `SELECT set_config('default_transaction_isolation', 'read committed', false),
  CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'local', false) END`

interface PoolOptions {
  readonly forOne: Duration.Duration
  /** Whether statements that come again are prepared. */
  readonly prepares: boolean
  readonly onConnection: (connection: SqlConnection.Connection) => Effect.Effect<void, SqlError.SqlError>
}

const open = (place: Postgres, { forOne, onConnection }: PoolOptions): Effect.Effect<Pool, never, Scope.Scope> =>
  Effect.acquireRelease(
    // Loaded where it is wanted: most agents keep their journal in a file.
    Effect.gen(function* () {
      const runtime = yield* Effect.runtime()
      const { default: pg } = yield* Effect.promise(() => import("pg"))
      const pool = new pg.Pool({
        connectionString: forDriver(place),
        max: place.connections,
        connectionTimeoutMillis: Duration.toMillis(patience),
        query_timeout: Duration.toMillis(forOne),
        idleTimeoutMillis: 60_000,
        keepAlive: true,
        verify: (client, done) => {
          const own = makeConnection(client, unprepared, forOne)
          Runtime.runCallback(runtime)(Effect.zipRight(own.executeValues(ownSettings, []), onConnection(own)), {
            onExit: (exit) => done(Exit.isSuccess(exit) ? undefined : errorOf(exit.cause))
          })
        },
        application_name: `site-actors ${version}`,
        types: numbers(pg.types.getTypeParser)
      })
      pool.on("error", heardThere)
      pool.on("connect", (client) => client.on("error", heardThere))
      return pool
    }),
    (pool) => Effect.promise(() => pool.end()).pipe(Effect.interruptible, Effect.timeoutOption("2 seconds"))
  )

/** A connection of one's own, for a transaction. */
const reserved = (pool: Pool, around: Around): Effect.Effect<PoolClient, SqlError.SqlError, Scope.Scope> =>
  Effect.acquireRelease(around(Effect.tryPromise({ try: () => pool.connect(), catch: asSqlError })), (client, exit) =>
    Effect.sync(() => client.release(Exit.isFailure(exit)))
  )

/**
 * Connections are made when they are needed: this does not fail if there is no server. Each new one asks first whether this is the database
 * that it was before (`came_home` in `journal/tables/migrations.ts`); the tables have to be there.
 */
export const layer = (place: Postgres): Layer.Layer<SqlClient.SqlClient> =>
  over(place, {
    forOne: patience,
    prepares: true,
    onConnection: (connection) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const [row] = yield* connection.executeValues("SELECT came_home($1)", [now])
        const marked = row?.[0]
        if (typeof marked === "number") yield* Effect.logWarning(elsewhere(place, marked))
      })
  })

const elsewhere = (place: Postgres, marked: number): string =>
  `${place.name} is not where it was: a backup, or another server in its place, that may not know of the last entries. ${countOf(marked, "order was", "orders were")} in work: whatever they would make is looked for first`

/** The same for a database that may not have its tables yet. `forOne`: how long a statement may take. */
export const bare = (place: Postgres, forOne: Duration.Duration = patience): Layer.Layer<SqlClient.SqlClient> =>
  over(place, { forOne, prepares: false, onConnection: () => Effect.void })

/**
 * A name says which text it stands for: behind a pooler a connection may find what another process has prepared on it, and that must not be
 * something else.
 */
const makePrepared = (place: Postgres): Effect.Effect<Prepared> =>
  Effect.sync(() => {
    const names = new Map<string, string>()
    let given = false
    return {
      nameOf: (text) => {
        if (given) return undefined
        const known = names.get(text)
        if (known !== undefined || names.size >= mostPrepared) return known
        const name = `s_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`
        names.set(text, name)
        return name
      },
      giveUp: Effect.suspend(() => {
        if (given) return Effect.void
        given = true
        return Effect.logWarning(
          `${place.name} keeps no prepared statements: a pooler in transaction mode is between. Each statement is parsed anew, which costs time; see docs/deploy.md`
        )
      })
    }
  })

const over = (place: Postgres, options: PoolOptions): Layer.Layer<SqlClient.SqlClient> =>
  Layer.scoped(
    SqlClient.SqlClient,
    Effect.gen(function* () {
      const pool = yield* open(place, options)
      const around = sparing(pool, place.name, isRefused)
      const prepared = options.prepares ? yield* makePrepared(place) : unprepared
      const connection = makeConnection(pool, prepared, options.forOne, around)
      const client = yield* SqlClient.make({
        acquirer: Effect.succeed(connection),
        transactionAcquirer: Effect.map(reserved(pool, around), (one) =>
          makeConnection(one, unprepared, options.forOne)
        ),
        compiler,
        spanAttributes: [["db.system.name", "postgresql"]]
      })
      return withOnlyConnection(client, connection)
    })
  ).pipe(Layer.provide(Reactivity.layer))

const compiler = Statement.makeCompiler({
  dialect: "pg",
  placeholder: (index) => `$${index}`,
  onIdentifier: Statement.defaultEscape('"'),
  onRecordUpdate: (placeholders, alias, columns, values, returning) => [
    `(values ${placeholders}) AS ${alias}${columns}${returning ? ` RETURNING ${returning[0]}` : ""}`,
    returning ? values.flat().concat(returning[1]) : values.flat()
  ],
  onCustom: () => {
    throw new Error("the journal's database has no types of its own")
  }
})
