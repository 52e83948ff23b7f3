/** Who has signed in with a token. In memory: a restart signs everybody out. */
import { createHash, randomBytes } from "node:crypto"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import { Clock, Context, Duration, Effect, Layer, Option, type Redacted } from "effect"
import type { Role } from "../../api/index.js"
import { readTokens, roleOf, type TokensUnusable } from "./tokens.js"

export interface SignedIn {
  readonly role: Role
  /** Of the token that was used: a session ends with its token. */
  readonly sha256: string
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** Sessions at once; the oldest goes when there would be more. */
const most = 1_000
/**
 * Wrong tokens within a minute, of one address. There is no limit for all together: whoever can connect could keep everybody out with it, and
 * nobody guesses 256 bits however often.
 */
const mostWrong = 5
const minute = 60_000
/** Wrong ones that are remembered. */
const wrongKept = 10_000

export type SignInAnswer =
  | { readonly _tag: "SignedIn"; readonly session: SignedIn; readonly secret: string }
  | { readonly _tag: "Wrong" }
  | { readonly _tag: "TooMany"; readonly seconds: number }

export class Sessions extends Context.Tag("site-actors/runtime/Sessions")<
  Sessions,
  {
    readonly signIn: (token: Redacted.Redacted, address: string) => Effect.Effect<SignInAnswer, TokensUnusable>
    /** By the cookie's secret. */
    readonly find: (secret: string) => Effect.Effect<Option.Option<SignedIn>>
    readonly end: (secret: string) => Effect.Effect<void>
  }
>() {
  static readonly layer = (
    dataDir: string,
    length: Duration.Duration
  ): Layer.Layer<Sessions, never, FileSystem.FileSystem | Path.Path> => Layer.effect(Sessions, make(dataDir, length))
}

/** Sessions are found by a hash, so that the time that a look takes says nothing about the secret. */
const keyOf = (secret: string): string => createHash("sha256").update(secret).digest("hex")

const make = (dataDir: string, length: Duration.Duration) =>
  Effect.gen(function* () {
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
    // Not at each of a page's requests.
    const tokens = yield* Effect.cachedWithTTL(Effect.provide(readTokens(dataDir), context), "2 seconds")
    const sessions = new Map<string, SignedIn>()
    let wrong: ReadonlyArray<{ readonly address: string; readonly at: number }> = []

    /** Seconds until the address may try again; 0: it may now. */
    const waits = (address: string, now: number): number => {
      wrong = wrong.filter(({ at }) => now - at < minute)
      const own = wrong.filter((one) => one.address === address)
      const [first] = own
      return first === undefined || own.length < mostWrong ? 0 : Math.ceil((first.at + minute - now) / 1000)
    }

    return Sessions.of({
      signIn: (token, address) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const seconds = waits(address, now)
          if (seconds > 0) return { _tag: "TooMany", seconds } as const
          // Read anew: whoever has just made a token uses it now.
          const found = roleOf(yield* Effect.provide(readTokens(dataDir), context), token)
          if (Option.isNone(found)) {
            wrong = [...wrong.slice(1 - wrongKept), { address, at: now }]
            return { _tag: "Wrong" } as const
          }
          const secret = randomBytes(32).toString("base64url")
          const session = { ...found.value, expires: now + Duration.toMillis(length) }
          for (const [key, { expires }] of sessions) if (expires <= now) sessions.delete(key)
          const [oldest] = sessions.keys()
          if (sessions.size >= most && oldest !== undefined) sessions.delete(oldest)
          sessions.set(keyOf(secret), session)
          return { _tag: "SignedIn", session, secret } as const
        }),
      find: (secret) =>
        Effect.gen(function* () {
          const session = sessions.get(keyOf(secret))
          const now = yield* Clock.currentTimeMillis
          if (session === undefined || session.expires <= now) return Option.none()
          const known = yield* Effect.option(tokens)
          const current = Option.map(known, (all) => all[session.role]?.sha256)
          return Option.contains(current, session.sha256) ? Option.some(session) : Option.none()
        }),
      end: (secret) => Effect.sync(() => sessions.delete(keyOf(secret)))
    })
  })
