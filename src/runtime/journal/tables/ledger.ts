/** Which migrations a database has had, and whether a program that knows these may work on it. */
import type { SqlClient } from "@effect/sql"
import { Effect } from "effect"
import { DatabaseUnusable } from "../unusable.js"
import type { Migration } from "./migrations.js"

/** What the database has had: the version of its tables, and the oldest one whose programs still work on it. */
interface Had {
  readonly version: number
  readonly oldest: number
}

/** May a program that knows these migrations work on it? */
export const mayWork = (path: string, had: Had, migrations: ReadonlyArray<Migration>) =>
  had.oldest > migrations.length
    ? new DatabaseUnusable({
        path,
        reason: `it was changed by a newer version (tables of version ${had.version}, which need a program of ${had.oldest}; this one is of ${migrations.length})`,
        hint: "Run that version, or a newer one."
      })
    : Effect.void

export const newest = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<Had>`SELECT version, oldest FROM schema_version ORDER BY version DESC LIMIT 1`, ([had]) => had)

export const entryOf = (version: number, { oldest }: Migration, at: number): string =>
  `INSERT INTO schema_version (version, oldest, at) VALUES (${version}, ${oldest}, ${at})`
