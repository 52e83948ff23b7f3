/**
 * Who the agent is: an API token, a personal access token, or an access token from an OIDC client-credentials grant.
 *
 * An access token is kept, and fetched anew shortly before it expires or once the server has refused it; however many calls need it at
 * that moment, it is fetched once.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Clock, Effect, MutableRef, Option, Redacted, Ref, Schema } from "effect"
import { firstCome } from "../../core/lean/fairLimiter.js"
import { optionalNumber } from "../api/lenient.js"
import { tokenCall, type WaldurError, WaldurMalformedAnswer, WaldurUnauthorized } from "../errors.js"
import { interpret } from "./answer.js"
import { retrying } from "./retry.js"
import type { Transport } from "./transport.js"

export type Credentials =
  | { readonly _tag: "Token"; readonly token: Redacted.Redacted<string> }
  | {
      readonly _tag: "Oidc"
      /** The identity provider's token endpoint. */
      readonly tokenUrl: string
      readonly clientId: string
      readonly clientSecret: Redacted.Redacted<string>
      readonly scope?: string
    }

export interface Authenticator {
  /** The value of the `Authorization` header. */
  readonly authorization: Effect.Effect<Redacted.Redacted<string>, WaldurError>
  /** After a 401 for `refused`: another value to try, if there is one. */
  readonly renew: (
    refused: Redacted.Redacted<string>
  ) => Effect.Effect<Option.Option<Redacted.Redacted<string>>, WaldurError>
  /** Replaces every secret known here. For texts that came from outside. */
  readonly strike: (text: string) => string
}

/** Also as JSON and as a form spell it: an identity provider may quote the request. */
const spellings = (secret: string): ReadonlyArray<string> => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  encodeURIComponent(secret),
  new URLSearchParams([["", secret]]).toString().slice(1)
]

const strikeOut =
  (secrets: ReadonlyArray<string>) =>
  (text: string): string =>
    secrets
      .filter((secret) => secret.length >= 4)
      .flatMap(spellings)
      .reduce((rest, secret) => rest.replaceAll(secret, "***"), text)

/** Only these fit into a header; anything else would fail deep in the HTTP client, for ever. */
const fitsHeader = (token: string): boolean => /^[\x21-\x7e]+$/.test(token)

/**
 * A personal access token, `w_<when it expires>_<secret>`, which today's servers let a user make for an agent, and know as `Bearer` alone (source: waldur-mastermind,
 * core/tests/test_personal_access_tokens.py). An API token has 40 hex digits.
 */
const isPersonal = (token: string): boolean => /^w_\d+_/.test(token)

const fromToken = (token: Redacted.Redacted<string>): Authenticator => {
  const value = Redacted.value(token).trim()
  return {
    authorization: fitsHeader(value)
      ? Effect.succeed(Redacted.make(`${isPersonal(value) ? "Bearer" : "Token"} ${value}`))
      : new WaldurUnauthorized({
          call: "configuration",
          detail: value === "" ? "the API token is empty" : "the API token has characters that no token has"
        }),
    renew: () => Effect.succeedNone,
    strike: strikeOut([value])
  }
}

const TokenAnswer = Schema.Struct({
  access_token: Schema.String.pipe(Schema.filter(fitsHeader)),
  /** Seconds. */
  expires_in: optionalNumber("expires_in")
})
const decodeTokenAnswer = Schema.decodeUnknownOption(TokenAnswer)

/** Where the identity provider does not say how long a token lasts. */
const assumedLifetime = 300
const call = tokenCall

interface Held {
  readonly header: Redacted.Redacted<string>
  /** Milliseconds; from then on it is fetched anew before it is used. */
  readonly renewAt: number
}

/** A refusal of the client by the identity provider, in whichever way it puts it (400 `invalid_client`, 401, 403, ...). */
const asUnauthorized = (error: WaldurError): WaldurError => {
  switch (error._tag) {
    case "WaldurInvalid":
      return new WaldurUnauthorized({ call, detail: error.messages.join("; ") })
    case "WaldurForbidden":
    case "WaldurNotFound":
    case "WaldurRefusedCall":
      return new WaldurUnauthorized({ call, detail: error.detail })
    default:
      return error
  }
}

const fromOidc = (oidc: Extract<Credentials, { _tag: "Oidc" }>, transport: Transport): Effect.Effect<Authenticator> =>
  Effect.gen(function* () {
    const held = yield* Ref.make(Option.none<Held>())
    const oneAtATime = firstCome(1)
    // The tokens of the last hours too: an error may quote one that has just been replaced.
    const recent = MutableRef.make<ReadonlyArray<string>>([])
    const secret = Redacted.value(oidc.clientSecret).trim()
    const strike = (text: string): string => strikeOut([secret, ...MutableRef.get(recent)])(text)

    const request = HttpClientRequest.post(oidc.tokenUrl).pipe(
      HttpClientRequest.setHeader("accept", "application/json"),
      HttpClientRequest.bodyUrlParams({
        grant_type: "client_credentials",
        client_id: oidc.clientId,
        client_secret: secret,
        ...(oidc.scope === undefined ? {} : { scope: oidc.scope })
      })
    )
    const fetch = Effect.gen(function* () {
      const raw = yield* retrying(2, () =>
        Effect.flatMap(transport(call, request), (answer) => interpret(answer, { method: "POST", call, strike }))
      ).pipe(Effect.mapError(asUnauthorized))
      const answer = yield* Effect.mapError(
        decodeTokenAnswer(raw.json),
        () => new WaldurMalformedAnswer({ call, reason: "no usable access_token in it" })
      )
      const lifetime = Option.getOrElse(answer.expires_in, () => assumedLifetime)
      const margin = Math.min(30, lifetime / 5)
      const fresh: Held = {
        header: Redacted.make(`Bearer ${answer.access_token}`),
        renewAt: (yield* Clock.currentTimeMillis) + (lifetime - margin) * 1000
      }
      MutableRef.update(recent, (tokens) => [answer.access_token, ...tokens].slice(0, 8))
      yield* Ref.set(held, Option.some(fresh))
      return fresh.header
    })
    /** The held token if it is good, else a fresh one; whoever waited finds the one that another has fetched. */
    const current = (isGood: (candidate: Held, now: number) => boolean) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const good = Option.filter(yield* Ref.get(held), (candidate) => isGood(candidate, now))
        return Option.isSome(good) ? good.value.header : yield* fetch
      }).pipe(oneAtATime)

    return {
      authorization: current((candidate, now) => now < candidate.renewAt),
      renew: (refused) =>
        Effect.asSome(current((candidate) => Redacted.value(candidate.header) !== Redacted.value(refused))),
      strike
    }
  })

export const makeAuthenticator = (credentials: Credentials, transport: Transport): Effect.Effect<Authenticator> =>
  credentials._tag === "Token" ? Effect.succeed(fromToken(credentials.token)) : fromOidc(credentials, transport)
