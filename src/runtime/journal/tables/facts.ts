/** What `site-actors check` tells of a PostgreSQL. */
import { SqlClient, type SqlConnection } from "@effect/sql"
import { Effect } from "effect"
import type { Postgres } from "../../database/place.js"
import * as PostgresConnection from "../../database/postgres.js"
import { type DatabaseUnusable, unusable } from "../unusable.js"
import { hasTables, mayWrite } from "./in-postgres.js"
import { mayWork, newest } from "./ledger.js"
import { migrations as known } from "./migrations.js"

export interface DatabaseFacts {
  /** "18.4" */
  readonly server: string
  /** May this user make tables? */
  readonly makes: number
  /** A table there that this user may not read and write. */
  readonly closed: string | null
  /** `fsync` and `synchronous_commit` as the server has them for this user, and how many connections it takes in all. */
  readonly fsync: string
  readonly commits: string
  readonly connections: number
  /** Of the tables; none: there are none yet. */
  readonly version: number | null
  /** A pooler hands the server's connections out anew for each transaction. */
  readonly pooled: boolean
}

/** Two that are connected at a time, and are answered by one and the same: it is handed out anew for each transaction. */
const isPooled = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  Effect.gen(function* () {
    const [one, other] = yield* Effect.all([sql.reserve, sql.reserve])
    const server = (at: SqlConnection.Connection) =>
      Effect.map(at.executeValues("SELECT pg_backend_pid()", []), ([row]) => row?.[0])
    for (let look = 0; look < 3; look++) if ((yield* server(one)) === (yield* server(other))) return true
    return false
  }).pipe(Effect.scoped)
)

/** Only looks. Fails where a start would. */
export const lookAt = (place: Postgres): Effect.Effect<DatabaseFacts, DatabaseUnusable> =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [facts] = yield* sql<Omit<DatabaseFacts, "version" | "pooled">>`
      SELECT split_part(current_setting('server_version'), ' ', 1) AS server,
        CASE WHEN has_schema_privilege(current_schema(), 'CREATE') THEN 1 ELSE 0 END AS makes,
        (SELECT min(relname) FROM pg_class WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind = 'r'
          AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
            AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))) AS closed,
        current_setting('fsync') AS fsync, (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS commits,
        CAST(current_setting('max_connections') AS BIGINT) AS connections`
    const had = (yield* hasTables) ? yield* newest(sql) : undefined
    if (had !== undefined) yield* mayWork(place.name, had, known)
    if (facts === undefined) return yield* Effect.dieMessage("a SELECT of constants has no row")
    yield* mayWrite
    return { ...facts, version: had?.version ?? null, pooled: yield* isPooled }
  }).pipe(
    Effect.catchTag("SqlError", (error) => unusable(place, error)),
    Effect.provide(PostgresConnection.bare(place))
  )
