/**
 * One call to Waldur: credentials, a place in the queue, the request, its meaning, and another try where that is safe.
 *
 * Reads are repeated after a transient failure, and so are the writes that say `repeat`: those that set a value. Others never are; whoever
 * makes them looks first (`transitions.ts`).
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Cause, Effect, type Exit, identity, Option, Redacted, type Scope } from "effect"
import type { Breaker } from "../core/calls/breaker.js"
import { throughGate } from "../core/calls/gate.js"
import { underWay } from "../core/calls/observed.js"
import { OfferingFault } from "../core/errors.js"
import { firstCome } from "../core/lean/fairLimiter.js"
import { annotateSpan, spanned } from "../core/lean/spans.js"
import { uuidOf } from "./api/index.js"
import { type WaldurError, WaldurInvalid, WaldurServerError } from "./errors.js"
import { type Answer, interpret, type RawAnswer } from "./http/answer.js"
import { type Credentials, makeAuthenticator } from "./http/auth.js"
import { makeQuiet } from "./http/quiet.js"
import { retrying } from "./http/retry.js"
import { makeTransport, type TransportOptions } from "./http/transport.js"

export type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE"

/** For logs, metrics and the live view. */
export interface ObservedCall {
  readonly method: Method
  /** `marketplace-orders/{uuid}/set_state_done/` */
  readonly path: string
  /** Absent if there was no answer. */
  readonly status: Option.Option<number>
  /** The error's tag. */
  readonly error: Option.Option<string>
  /** From sending to the last byte; waiting for a place is not in it. */
  readonly milliseconds: number
  /** Counts from 1. */
  readonly attempt: number
}

export interface ClientOptions extends TransportOptions {
  /** "https://waldur.example.com/api/"; "/api/" is added if it is missing. */
  readonly apiUrl: string
  readonly credentials: Credentials
  /** Calls at once. Default 8. */
  readonly concurrency?: number
  readonly userAgent?: string
  readonly observe?: (call: ObservedCall) => Effect.Effect<void>
  /** The server's breaker (`servers.ts`); without one, every call is sent. */
  readonly breaker?: Breaker<WaldurError>
}

export interface Call {
  readonly method: Method
  /** With `{uuid}` where `uuid` goes; ends in a slash: without it Waldur redirects, and a POST would become a GET (recording 049). */
  readonly path: `${string}/`
  readonly uuid?: string
  readonly query?: ReadonlyArray<readonly [string, string]>
  readonly body?: unknown
  /** Whether sending it twice does what sending it once does. Reads always are. */
  readonly repeat?: boolean
}

export interface WaldurClient {
  readonly apiUrl: string
  readonly call: (call: Call) => Effect.Effect<Answer, WaldurError>
}

const tries = 3

/** Cheap, and known to every Waldur. */
const whoAmI: Call = { method: "GET", path: "users/me/" }
const whoAmIName = "GET users/me/"
/** Of an address that it does not know (recording 071). */
const ownWords = "The requested resource was not found on this server."

const tagOf = (cause: Cause.Cause<WaldurError>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => (Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect"),
    onSome: (error) => error._tag
  })

/** The API's root, whichever way it was written down. */
const rootOf = (apiUrl: string): Effect.Effect<string, OfferingFault> =>
  Effect.gen(function* () {
    const hint = 'It looks like "https://waldur.example.com/api/".'
    const url = yield* Effect.try({
      try: () => new URL(apiUrl),
      catch: () => new OfferingFault({ reason: "Waldur's API address is not a URL.", hint })
    })
    if (!/^https?:$/.test(url.protocol)) {
      return yield* new OfferingFault({ reason: `Waldur's API address starts with ${url.protocol}.`, hint })
    }
    if (url.username !== "" || url.password !== "") {
      return yield* new OfferingFault({ reason: "Waldur's API address holds a user name or password.", hint })
    }
    const path = url.pathname.replace(/\/+$/, "")
    return `${url.origin}${path.endsWith("/api") ? path : `${path}/api`}/`
  })

/** Strict: what JSON has no word for (NaN, Infinity) would silently become null. */
const encode = (call: string, body: unknown): Effect.Effect<string, WaldurInvalid> =>
  Effect.try({
    try: () =>
      JSON.stringify(body, (key, value: unknown) => {
        if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`${key} is not a finite number`)
        return value
      }),
    catch: (error) =>
      new WaldurInvalid({
        call,
        messages: [error instanceof Error ? error.message : "cannot be written as JSON"],
        disposition: "fail-order"
      })
  })

export const makeClient = (options: ClientOptions): Effect.Effect<WaldurClient, OfferingFault, Scope.Scope> =>
  Effect.gen(function* () {
    const root = yield* rootOf(options.apiUrl)
    const transport = yield* makeTransport(options)
    const auth = yield* makeAuthenticator(options.credentials, transport)
    // First come, first served: a long list read page by page queues up again for every page.
    const inTurn = firstCome(options.concurrency ?? 8)
    const unlessQuiet = makeQuiet()
    const observe = options.observe ?? (() => Effect.void)
    const protect: <A>(call: Effect.Effect<A, WaldurError>) => Effect.Effect<A, WaldurError> =
      options.breaker?.protect ?? identity

    const requestOf = (call: Call, name: string) =>
      Effect.gen(function* () {
        const uuid = Option.getOrUndefined(uuidOf(call.uuid ?? ""))
        if (call.path.includes("{uuid}") && uuid === undefined) {
          const messages = [`"${(call.uuid ?? "").slice(0, 40)}" is not a uuid`]
          return yield* new WaldurInvalid({ call: name, messages, disposition: "stop-offering" })
        }
        // A URL writes itself anew for each parameter that is added to it.
        const query = new URLSearchParams(
          (call.query ?? []).map(([key, value]): [string, string] => [key, value])
        ).toString()
        const url = root + call.path.replace("{uuid}", uuid ?? "")
        const request = HttpClientRequest.make(call.method)(query === "" ? url : `${url}?${query}`, {
          headers: { accept: "application/json", "user-agent": options.userAgent ?? "site-actors" }
        })
        return call.body === undefined
          ? request
          : HttpClientRequest.bodyText(request, yield* encode(name, call.body), "application/json")
      })

    /** One request on the wire. */
    const send = (
      call: Call,
      name: string,
      request: HttpClientRequest.HttpClientRequest,
      authorization: Redacted.Redacted<string>,
      attempt: number
    ): Effect.Effect<Answer, WaldurError> =>
      Effect.flatMap(Effect.clock, (clock) => {
        const started = clock.unsafeCurrentTimeMillis()
        let answered: RawAnswer | undefined
        const tell = (exit: Exit.Exit<Answer, WaldurError>) =>
          Effect.zipRight(
            annotateSpan({
              "server.address": root,
              "http.request.method": call.method,
              "waldur.uuid": call.uuid ?? "",
              "waldur.attempt": attempt,
              ...(answered === undefined
                ? {}
                : {
                    "http.response.status_code": answered.status,
                    "http.response.body.size": answered.body.length
                  })
            }),
            Effect.suspend(() =>
              observe({
                method: call.method,
                path: call.path,
                status: Option.map(Option.fromNullable(answered), ({ status }) => status),
                error: exit._tag === "Success" ? Option.none() : Option.some(tagOf(exit.cause)),
                milliseconds: clock.unsafeCurrentTimeMillis() - started,
                attempt
              })
            )
          ).pipe(Effect.catchAllCause(() => Effect.void))
        return transport(
          name,
          HttpClientRequest.setHeader(request, "authorization", Redacted.value(authorization))
        ).pipe(
          Effect.flatMap((raw) => {
            answered = raw
            return interpret(raw, { method: call.method, call: name, strike: auth.strike })
          }),
          Effect.onExit(tell)
        )
      }).pipe(spanned(`waldur ${name}`, { kind: "client" }))

    /** In its turn, and only if the server is there. */
    const sendInTurn = (...request: Parameters<typeof send>) =>
      inTurn(
        unlessQuiet(request[1])(
          throughGate(request[0].method !== "GET")(
            protect(underWay({ system: "waldur", call: request[1], about: "" })(send(...request)))
          )
        )
      )

    const askWhoAmI = (by: typeof send, authorization: Redacted.Redacted<string>) =>
      Effect.flatMap(requestOf(whoAmI, whoAmIName), (request) => by(whoAmI, whoAmIName, request, authorization, 1))
    yield* options.breaker?.join(
      Effect.flatMap(auth.authorization, (authorization) => askWhoAmI(send, authorization))
    ) ?? Effect.void
    yield* options.breaker?.listen ?? Effect.void

    /**
     * Of an address that is answered with a page which is not Waldur's own: a proxy may have written it whose backend restarts, and to take it for an older
     * server would leave untold what this call says. What every Waldur knows is asked for.
     */
    const unlessAway =
      (name: string) =>
      <A>(sent: Effect.Effect<A, WaldurError>): Effect.Effect<A, WaldurError> =>
        Effect.catchTag(sent, "WaldurNotFound", (missing) =>
          !missing.unknownAddress || missing.detail.includes(ownWords) || name === whoAmIName
            ? Effect.fail(missing)
            : Effect.gen(function* () {
                const authorization = yield* auth.authorization
                if (yield* Effect.isSuccess(askWhoAmI(sendInTurn, authorization))) return yield* missing
                return yield* new WaldurServerError({ call: name, status: 404, excerpt: missing.detail })
              })
        )

    return {
      apiUrl: root,
      call: (call) => {
        const name = `${call.method} ${call.path}`
        return Effect.flatMap(requestOf(call, name), (request) =>
          retrying(call.method === "GET" || call.repeat === true ? tries : 1, (attempt) =>
            Effect.flatMap(auth.authorization, (authorization) =>
              sendInTurn(call, name, request, authorization, attempt).pipe(
                // A 401 was not carried out, so even a write may be sent again.
                Effect.catchTag("WaldurUnauthorized", (refused) =>
                  Effect.flatMap(
                    auth.renew(authorization),
                    Option.match({
                      onNone: () => Effect.fail<WaldurError>(refused),
                      onSome: (renewed) => sendInTurn(call, name, request, renewed, attempt)
                    })
                  )
                ),
                unlessAway(name)
              )
            )
          )
        )
      }
    }
  })
