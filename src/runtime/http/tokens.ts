/**
 * The tokens with which people sign in on the page: one for each role, 256 bits of the system's generator. Only their hashes are kept, in the
 * data directory (0600). A hash without salt and without many rounds will do: nobody guesses 256 bits.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Clock, Data, Effect, Option, Redacted, Schema } from "effect"
import { Role } from "../../api/index.js"

/** The tokens cannot be read or written. */
export class TokensUnusable extends Data.TaggedError("TokensUnusable")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `The page's tokens in ${this.path} cannot be used: ${this.reason}. Make new ones with \`site-actors token --rotate\`.`
  }
}

const Kept = Schema.Struct({
  sha256: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/)),
  /** Milliseconds since 1970. */
  made: Schema.Number
})
const Tokens = Schema.Struct({ operator: Schema.optional(Kept), viewer: Schema.optional(Kept) })
export type Tokens = typeof Tokens.Type
const TokensJson = Schema.parseJson(Tokens, { space: 2 })

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex")

const fileIn = (dataDir: string) => Effect.map(Path.Path, (path) => path.join(dataDir, "page-tokens.json"))

const unusable = (path: string) => (error: Error) =>
  new TokensUnusable({ path, reason: error.message.split("\n")[0] ?? "" })

/** No file is no tokens. */
export const readTokens = (dataDir: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fileIn(dataDir)
    const text = yield* fs.readFileString(file).pipe(
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "NotFound",
        () => Effect.succeed("{}")
      ),
      Effect.mapError(unusable(file))
    )
    return yield* Schema.decode(TokensJson)(text).pipe(
      Effect.mapError(() => new TokensUnusable({ path: file, reason: "it is not what the agent wrote" }))
    )
  })

/** Makes a new token of the role: the one before ends, and with it the sessions that it began. Returned once, kept nowhere. */
export const rotateToken = (dataDir: string, role: Role) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fileIn(dataDir)
    const token = randomBytes(32).toString("base64url")
    const known = yield* Effect.orElseSucceed(readTokens(dataDir), (): Tokens => ({}))
    const kept = { sha256: hashOf(token), made: yield* Clock.currentTimeMillis }
    const text = yield* Effect.orDie(Schema.encode(TokensJson)({ ...known, [role]: kept }))
    // Beside it and then in its place, so that it is never half there.
    yield* fs
      .makeDirectory(dataDir, { recursive: true, mode: 0o700 })
      .pipe(
        Effect.zipRight(fs.writeFileString(`${file}.new`, text, { mode: 0o600 })),
        Effect.zipRight(fs.chmod(`${file}.new`, 0o600)),
        Effect.zipRight(fs.rename(`${file}.new`, file)),
        Effect.mapError(unusable(file))
      )
    return Redacted.make(token)
  })

/** Whose token it is. Both hashes are compared to their end, whichever fits. */
export const roleOf = (
  tokens: Tokens,
  token: Redacted.Redacted
): Option.Option<{ readonly role: Role; readonly sha256: string }> => {
  const given = Buffer.from(hashOf(Redacted.value(token)), "hex")
  const fitting = Role.literals.filter((role) => {
    const kept = tokens[role]
    return kept !== undefined && timingSafeEqual(Buffer.from(kept.sha256, "hex"), given)
  })
  // Of two tokens alike, which cannot be, the one that may less.
  const [role] = fitting
  const sha256 = role === undefined ? undefined : tokens[role]?.sha256
  return role === undefined || sha256 === undefined ? Option.none() : Option.some({ role, sha256 })
}
