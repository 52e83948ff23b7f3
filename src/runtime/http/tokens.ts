/**
 * The tokens with which people sign in on the page: one for each role, 256 bits of the system's generator. Only their hashes are kept, in the
 * journal's database, so that a token opens the page of each process. A hash without salt and without many rounds will do: nobody guesses 256
 * bits.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { SqlClient } from "@effect/sql"
import { Clock, Effect, Option, Redacted } from "effect"
import { Role } from "../../api/index.js"
import type { JournalUnavailable } from "../../core/index.js"
import { unavailable } from "../database/sql.js"

export interface KeptToken {
  readonly role: Role
  /** Of the token, in hexadecimal. */
  readonly sha256: string
  /** Milliseconds since 1970. */
  readonly made: number
}

export type Tokens = ReadonlyArray<KeptToken>

type Result<A> = Effect.Effect<A, JournalUnavailable, SqlClient.SqlClient>

/** In a table a secret lies, and is looked for, by its hash: the time that a look takes says nothing about it. */
export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex")

/** 256 bits, 43 letters that may stand in an address or a cookie. */
export const newSecret = (): string => randomBytes(32).toString("base64url")

export const readTokens: Result<Tokens> = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  unavailable(sql<KeptToken>`SELECT role, sha256, made FROM page_token`)
)

const keep = (role: Role, conflict: "DO NOTHING" | "DO UPDATE SET sha256 = excluded.sha256, made = excluded.made") =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const token = newSecret()
    const made = yield* Clock.currentTimeMillis
    const rows = yield* unavailable(sql`
      INSERT INTO page_token (role, sha256, made) VALUES (${role}, ${hashOf(token)}, ${made})
      ON CONFLICT (role) ${sql.literal(conflict)} RETURNING role`)
    return rows.length === 0 ? Option.none() : Option.some(Redacted.make(token))
  })

/** The role's first token; none: it has one, or another process has just made it. */
export const firstToken = (role: Role): Result<Option.Option<Redacted.Redacted>> => keep(role, "DO NOTHING")

/** Makes a new token of the role: the one before ends, and with it the sessions that it began. Returned once, kept nowhere. */
export const rotateToken = (role: Role): Result<Redacted.Redacted> =>
  Effect.flatMap(
    keep(role, "DO UPDATE SET sha256 = excluded.sha256, made = excluded.made"),
    Option.match({
      onNone: () => Effect.dieMessage("a token that replaces another has no row"),
      onSome: Effect.succeed
    })
  )

/** Whose token it is. All hashes are compared to their end, whichever fits. */
export const roleOf = (tokens: Tokens, token: Redacted.Redacted): Option.Option<KeptToken> => {
  const given = Buffer.from(hashOf(Redacted.value(token)), "hex")
  const fitting = tokens.filter(({ sha256 }) => timingSafeEqual(Buffer.from(sha256, "hex"), given))
  // Of two tokens alike, which cannot be, the one that may less.
  return Option.fromNullable(Role.literals.flatMap((role) => fitting.filter((kept) => kept.role === role)).at(0))
}
