/** Cursors and searches of the lists. A cursor is where the page before ended: what its rows are sorted by, and nothing of the database. */
import { Data, Either, Schema } from "effect"

/** What was asked for makes no sense. The message is one sentence. */
export class BadQuestion extends Data.TaggedError("BadQuestion")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

export const usualPage = 50

const Parts = Schema.parseJson(Schema.Array(Schema.Union(Schema.String, Schema.Number)))

export const cursorOf = (...parts: ReadonlyArray<string | number>): string =>
  Buffer.from(JSON.stringify(parts)).toString("base64url")

/** What a cursor holds, checked by the list's own schema. */
export const readCursor = <A, I extends ReadonlyArray<string | number>>(
  schema: Schema.Schema<A, I>,
  cursor: string
): Either.Either<A, BadQuestion> =>
  Schema.decodeUnknownEither(Parts)(Buffer.from(cursor, "base64url").toString("utf8")).pipe(
    Either.flatMap(Schema.decodeUnknownEither(schema)),
    Either.mapLeft(
      () => new BadQuestion({ reason: "This cursor is of no page of this list: begin again without one." })
    )
  )

export interface Search {
  /** For LIKE, with its wildcards escaped by a backslash. */
  readonly like: string
  /** What a uuid must begin with, and the first text that sorts behind all of those; `null`: it cannot be the beginning of one. */
  readonly uuid: { readonly from: string; readonly until: string } | null
}

/** `undefined`: nothing is looked for. */
export const searchOf = (text: string | undefined): Search | undefined => {
  const wanted = (text ?? "").trim()
  if (wanted === "") return undefined
  const digits = wanted.replaceAll("-", "").toLowerCase()
  return {
    like: `%${wanted.replace(/[\\%_]/g, "\\$&")}%`,
    uuid: /^[0-9a-f]{1,32}$/.test(digits) ? { from: digits, until: `${digits}g` } : null
  }
}

/** A page of the rows, of which one more was read than it holds. */
export const pageOf = <A>(rows: ReadonlyArray<A>, limit: number, total: number, cursor: (last: A) => string) => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { rows: shown, total, next: rows.length > limit && last !== undefined ? cursor(last) : null }
}
