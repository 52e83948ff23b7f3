/**
 * Who has signed in with a token. In the journal's database, by a hash: a session holds at each process that works on it, and over a restart.
 *
 * While the database is away, whoever was known a moment ago stays known: that is when somebody has to look.
 */
import { SqlClient } from "@effect/sql"
import { Clock, Context, Duration, Effect, Layer, Option, type Redacted } from "effect"
import type { Role } from "../../api/index.js"
import type { JournalUnavailable } from "../../core/index.js"
import { unavailable } from "../database/sql.js"
import { hashOf, newSecret, readTokens, roleOf } from "./tokens.js"

export interface SignedIn {
  readonly role: Role
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** Sessions at once; the oldest go when there would be more. */
const most = 1_000
/** How long what was found is believed, ms: a page asks for several things at once. */
const believed = 2_000
/** How long it is looked for in a database that does not answer. */
const patience = Duration.seconds(2)
/**
 * Wrong tokens within a minute, of one address, at one process. There is no limit for all together: whoever can connect could keep everybody out
 * with it, and nobody guesses 256 bits however often.
 */
const mostWrong = 5
const minute = 60_000
/** Wrong ones that are remembered. */
const wrongKept = 10_000

interface Try {
  readonly address: string
  readonly at: number
}

export type SignInAnswer =
  | { readonly _tag: "SignedIn"; readonly session: SignedIn; readonly secret: string }
  | { readonly _tag: "Wrong" }
  | { readonly _tag: "TooMany"; readonly seconds: number }

export class Sessions extends Context.Tag("site-actors/runtime/Sessions")<
  Sessions,
  {
    readonly signIn: (token: Redacted.Redacted, address: string) => Effect.Effect<SignInAnswer, JournalUnavailable>
    /** By the cookie's secret. A session ends by itself, by hand, and with the token that began it. */
    readonly find: (secret: string) => Effect.Effect<Option.Option<SignedIn>>
    readonly end: (secret: string) => Effect.Effect<void, JournalUnavailable>
  }
>() {
  static readonly layer = (length: Duration.Duration): Layer.Layer<Sessions, never, SqlClient.SqlClient> =>
    Layer.effect(Sessions, make(length))
}

const make = (length: Duration.Duration) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const tokens = Effect.provideService(readTokens, SqlClient.SqlClient, sql)
    /** What was found, by the session's key. `at`: when; the one that was looked at longest ago comes first. */
    const seen = new Map<string, { readonly session: SignedIn; readonly at: number }>()
    let wrong: ReadonlyArray<Try> = []

    /** Seconds until the address may try again; 0: it may now. */
    const waits = (address: string, now: number): number => {
      wrong = wrong.filter(({ at }) => now - at < minute)
      const own = wrong.filter((one) => one.address === address)
      const [first] = own
      return first === undefined || own.length < mostWrong ? 0 : Math.ceil((first.at + minute - now) / 1000)
    }

    const remember = (key: string, session: SignedIn, at: number) => {
      seen.delete(key)
      seen.set(key, { session, at })
      const [oldest] = seen.keys()
      if (seen.size > most && oldest !== undefined) seen.delete(oldest)
    }

    /** Those that have ended are forgotten, and of many the ones that end first. */
    const makeRoom = (now: number) =>
      unavailable(sql`DELETE FROM page_session WHERE expires <= ${now} OR id NOT IN (
        SELECT id FROM page_session ORDER BY expires DESC, id LIMIT ${most - 1})`)

    return Sessions.of({
      signIn: (token, address) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const seconds = waits(address, now)
          if (seconds > 0) return { _tag: "TooMany", seconds } as const
          // Counted before anything is waited for, or many at once would all be let through.
          const one: Try = { address, at: now }
          wrong = [...wrong.slice(1 - wrongKept), one]
          const notWrong = Effect.sync(() => {
            wrong = wrong.filter((other) => other !== one)
          })
          const found = roleOf(yield* Effect.onError(tokens, () => notWrong), token)
          if (Option.isNone(found)) return { _tag: "Wrong" } as const
          yield* notWrong
          const secret = newSecret()
          const { role, sha256 } = found.value
          const session: SignedIn = { role, expires: now + Duration.toMillis(length) }
          yield* makeRoom(now)
          yield* unavailable(sql`INSERT INTO page_session (id, role, token, expires)
            VALUES (${hashOf(secret)}, ${role}, ${sha256}, ${session.expires})`)
          return { _tag: "SignedIn", session, secret } as const
        }),
      find: (secret) =>
        Effect.gen(function* () {
          const key = hashOf(secret)
          const now = yield* Clock.currentTimeMillis
          const known = Option.filter(Option.fromNullable(seen.get(key)), ({ session }) => session.expires > now)
          if (Option.exists(known, ({ at }) => now - at < believed)) return Option.map(known, ({ session }) => session)
          const looked = yield* unavailable(sql<SignedIn>`
            SELECT session.role AS role, session.expires AS expires FROM page_session AS session
            JOIN page_token ON page_token.role = session.role AND page_token.sha256 = session.token
            WHERE session.id = ${key} AND session.expires > ${now}`).pipe(Effect.timeoutOption(patience), Effect.either)
          // It could not be asked.
          if (looked._tag === "Left" || Option.isNone(looked.right)) return Option.map(known, ({ session }) => session)
          const [session] = looked.right.value
          if (session === undefined) seen.delete(key)
          else remember(key, session, now)
          return Option.fromNullable(session)
        }),
      end: (secret) =>
        Effect.gen(function* () {
          const key = hashOf(secret)
          yield* unavailable(sql`DELETE FROM page_session WHERE id = ${key}`)
          seen.delete(key)
        })
    })
  })
