/**
 * The tables by which processes know of each other.
 *
 * Times are the database's own, in ms since 1970: whose clock is wrong is not taken for dead, nor lives longer.
 */
import type { SqlClient, Statement } from "@effect/sql"
import { Duration } from "effect"

export const clusterTables: ReadonlyArray<string> = [
  // The processes. `instance`: a start of one; at an address the one that was started last counts. `machine`: a number for each address.
  `CREATE TABLE cluster_runner (
     machine INTEGER PRIMARY KEY AUTOINCREMENT,
     address TEXT NOT NULL UNIQUE,
     instance TEXT NOT NULL,
     started INTEGER NOT NULL,
     owner TEXT NOT NULL,
     runner TEXT NOT NULL,
     healthy INTEGER NOT NULL,
     seen INTEGER NOT NULL
   ) STRICT`,
  // Which process has which part of the resources, as of its last sign of life.
  `CREATE TABLE cluster_lock (
     shard TEXT PRIMARY KEY,
     address TEXT NOT NULL,
     instance TEXT NOT NULL,
     at INTEGER NOT NULL
   ) STRICT`,
  // What processes know each other by on the wire. One row.
  `CREATE TABLE cluster_key (
     id INTEGER PRIMARY KEY,
     secret TEXT NOT NULL
   ) STRICT`
]

/** What a process has for settings (`alike.ts`); none: it is of an earlier version, or has just started. */
export const settingsOfRunner = "ALTER TABLE cluster_runner ADD COLUMN settings TEXT"

/** Whom a process does not reach (`reach.ts`): a JSON array of addresses. None: nothing is known, or it is of an earlier version. */
export const unreachedByRunner = "ALTER TABLE cluster_runner ADD COLUMN unreached TEXT"

/** Since when, by the database's clock: a JSON object of addresses and ms since 1970. Of earlier versions it says nothing. */
export const unreachedSince = "ALTER TABLE cluster_runner ADD COLUMN unreached_since TEXT"

/** Now, by the database's clock. */
export const databaseNow = (sql: SqlClient.SqlClient): Statement.Fragment =>
  sql.literal(
    sql.onDialectOrElse({
      pg: () => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
      orElse: () => "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    })
  )

/** So long before now, by the database's clock. Who has given no sign of life since is not there. */
export const databaseNowLess = (sql: SqlClient.SqlClient, ago: Duration.Duration): Statement.Fragment =>
  sql`${databaseNow(sql)} - ${sql.literal(String(Math.round(Duration.toMillis(ago))))}`
