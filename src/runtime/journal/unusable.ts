/** The journal's database cannot be used: why, and what to do. */
import type { SqlError } from "@effect/sql"
import { Data } from "effect"
import type { Postgres } from "../database/place.js"
import { PostgresSays } from "../database/postgres.js"
import { hintFor, mayPass } from "../database/sayings.js"
import { reasonOf } from "../database/sql.js"

/** The data directory or the database in it cannot be used. */
export class DatabaseUnusable extends Data.TaggedError("DatabaseUnusable")<{
  readonly path: string
  readonly reason: string
  readonly hint: string
  /** It may be mended by time, or where the database is: nothing has to be changed here. */
  readonly passing?: boolean
}> {
  override get message(): string {
    return `The database ${this.path} cannot be used: ${this.reason}. ${this.hint}`
  }
}

/** What a failed statement means for whoever wanted to use the database; `hint`: for what no PostgreSQL has said. */
export const unusableBy = (path: string, error: SqlError.SqlError, hint: string): DatabaseUnusable => {
  const said = error.cause instanceof PostgresSays ? error.cause : undefined
  return new DatabaseUnusable({
    path,
    reason: reasonOf(error),
    hint: said === undefined ? hint : hintFor(said),
    passing: said !== undefined && mayPass(said)
  })
}

/** The same of a PostgreSQL. */
export const unusable = (place: Postgres, error: SqlError.SqlError): DatabaseUnusable =>
  unusableBy(place.name, error, "Check that PostgreSQL runs there, and see its log.")
