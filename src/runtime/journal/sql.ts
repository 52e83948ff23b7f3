/** What the files of this room share about SQL. */
import type { SqlError } from "@effect/sql"
import { Effect } from "effect"
import { JournalUnavailable } from "../../core/index.js"

/** A failing database is a journal that cannot be written: it may pass. The driver's own words, without the statement. */
export const unavailable = <A, R>(
  effect: Effect.Effect<A, SqlError.SqlError, R>
): Effect.Effect<A, JournalUnavailable, R> =>
  Effect.mapError(effect, (error) => new JournalUnavailable({ reason: reasonOf(error) }))

export const reasonOf = (error: SqlError.SqlError): string =>
  error.cause instanceof Error ? error.cause.message : error.message
