/** Tokens: got when one is needed, shared by all calls, and got anew before they expire. Those of admin-cli live 60 s (recording 001). */
import KeycloakAdminClient from "@keycloak/keycloak-admin-client"
import { Clock, Effect, Option, Redacted, Ref, Schema } from "effect"
import { type KeycloakError, KeycloakMalformedAnswer } from "./errors.js"
import { attempt, type Line, sendOnce } from "./requests.js"
import type { KeycloakSettings } from "./settings.js"

export interface Tokens {
  /** A token that is good for a while yet. */
  readonly current: Effect.Effect<Redacted.Redacted, KeycloakError>
  /** This one was refused: the next call gets another. */
  readonly refused: (token: Redacted.Redacted) => Effect.Effect<void>
  /** Asks for one and forgets it, past the breaker: does anybody answer? */
  readonly probe: Effect.Effect<void, KeycloakError>
}

/** A token is not used in the last tenth of its life: a call may be slow, and be looked at only when it arrives. */
const usable = 0.9

/** Only how long it lives is read, from its own two instants: our clock and the server's need not agree. */
const Claims = Schema.parseJson(Schema.Struct({ iat: Schema.Number, exp: Schema.Number }))

const lifetimeOf = (token: string): Option.Option<number> =>
  Schema.decodeUnknownOption(Claims)(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")).pipe(
    Option.map(({ iat, exp }) => (exp - iat) * 1000)
  )

interface Held {
  readonly token: Redacted.Redacted
  /** ms since 1970 */
  readonly until: number
}

const credentialsOf = (settings: KeycloakSettings) =>
  settings.username === ""
    ? {
        grantType: "client_credentials" as const,
        clientId: settings.clientId,
        clientSecret: settings.clientSecret === undefined ? "" : Redacted.value(settings.clientSecret)
      }
    : {
        grantType: "password" as const,
        clientId: settings.clientId,
        username: settings.username,
        password: settings.password === undefined ? "" : Redacted.value(settings.password),
        ...(settings.clientSecret === undefined ? {} : { clientSecret: Redacted.value(settings.clientSecret) })
      }

export const makeTokens = (settings: KeycloakSettings, line: Line): Effect.Effect<Tokens> =>
  Effect.gen(function* () {
    const held = yield* Ref.make(Option.none<Held>())
    const oneAtATime = yield* Effect.makeSemaphore(1)
    const call = "a token"

    /** Each time with the credentials: whether there is a refresh token, and for how long, depends on the client. */
    const newClient = () =>
      new KeycloakAdminClient({
        baseUrl: settings.url,
        realmName: settings.userRealm,
        requestOptions: line.requestOptions,
        timeout: settings.timeout
      })
    const fetchOne = Effect.gen(function* () {
      const client = newClient()
      const before = yield* Clock.currentTimeMillis
      yield* attempt(line, call, "token", () => client.auth(credentialsOf(settings)))
      const lifetime = lifetimeOf(client.accessToken ?? "")
      if (client.accessToken === undefined || Option.isNone(lifetime)) {
        return yield* new KeycloakMalformedAnswer({ call, reason: "no token in it" })
      }
      return { token: Redacted.make(client.accessToken), until: before + lifetime.value * usable } satisfies Held
    })

    return {
      current: Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const known = Option.filter(yield* Ref.get(held), ({ until }) => until > now)
        if (Option.isSome(known)) return known.value.token
        const fresh = yield* fetchOne
        yield* Ref.set(held, Option.some(fresh))
        return fresh.token
      }).pipe(oneAtATime.withPermits(1)),
      probe: sendOnce(line, call, "token", () => newClient().auth(credentialsOf(settings))),
      refused: (token) =>
        Ref.update(
          held,
          Option.filter((known) => known.token !== token)
        )
    }
  })
