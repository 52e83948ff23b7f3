/**
 * The client of one front-end with one user's credentials: encodes a call, waits for its turn, sends it, decodes the answer.
 *
 * Offerings get theirs from `OpenNebulaEndpoints`: the places that calls take turns for belong to the front-end, not to a client.
 */
import { Cause, Effect, Exit, FiberRef, identity, Option, type Scope } from "effect"
import type { Breaker } from "../core/calls/breaker.js"
import { sendingGate, throughGate } from "../core/calls/gate.js"
import { underWay } from "../core/calls/observed.js"
import type { OfferingFault } from "../core/errors.js"
import { during } from "../core/lean/around.js"
import { type FairLimiter, makeFairLimiter } from "../core/lean/fairLimiter.js"
import { annotateSpan, spanned } from "../core/lean/spans.js"
import type { CallContext, OpenNebulaError } from "./errors.js"
import type { Answer, Param } from "./wire/answer.js"
import type { NextChunk } from "./wire/inbox.js"
import { isLook } from "./wire/looks.js"
import { makeRedactor } from "./wire/redact.js"
import { encodeRequest } from "./wire/request.js"
import { decodeAnswer } from "./wire/response.js"
import { type ClientSettings, type OpenNebulaSettings, readSettings } from "./wire/settings.js"
import { makeTransport, type Transport } from "./wire/transport.js"

export type { OpenNebulaSettings } from "./wire/settings.js"

/** Whose call it is (a resource's or an offering's id): callers take turns when the front-end's places are all taken. */
export const CallOwner: FiberRef.FiberRef<string> = FiberRef.unsafeMake("")

/** All calls made inside belong to `owner`. */
export const withCallOwner =
  (owner: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    during(CallOwner, () => owner)(effect)

export interface OpenNebulaClient {
  /** URL of the front-end, without credentials. */
  readonly endpoint: string
  /** One call. `params` without the session string, which the client puts first. */
  readonly call: <A>(
    method: string,
    params: ReadonlyArray<Param>,
    answer: Answer<A>
  ) => Effect.Effect<A, OpenNebulaError>
  /** While the scope lasts, the fiber's `endpointListener` hears whether the front-end is there. */
  readonly listen?: Effect.Effect<void, never, Scope.Scope>
}

/** What is told of a call when it is over. */
export interface CallEvent {
  readonly endpoint: string
  readonly method: string
  /** The object or objects that the call names. */
  readonly ids: ReadonlyArray<number>
  /** `ok`, the tag of the error, `Interrupted` or `Defect`. */
  readonly outcome: string
  /** From its turn to its end. */
  readonly ms: number
  /** Waiting for its turn. */
  readonly waitedMs: number
  /** Of the answer, as far as it was read. */
  readonly bytes: number
  readonly owner: string
}

export type CallObserver = (event: CallEvent) => Effect.Effect<void>

const isNumber = (param: Param | undefined): param is number => typeof param === "number"

/** The first parameter of nearly all methods but those on pools, where it is a filter, and `allocate`. */
const namedIds = (method: string, [first]: ReadonlyArray<Param>): ReadonlyArray<number> =>
  isNumber(first) && first >= 0 && !/pool\.|\.allocate$/.test(method) ? [first] : []

const outcomeOf = (exit: Exit.Exit<unknown, OpenNebulaError>): string =>
  Exit.match(exit, {
    onSuccess: () => "ok",
    onFailure: (cause) =>
      Option.match(Cause.failureOption(cause), {
        onSome: (error) => error._tag,
        onNone: () => (Cause.isInterruptedOnly(cause) ? "Interrupted" : "Defect")
      })
  })

/** What the kinds of answers take at the most. Only pools grow with the cloud; one object is 16 MB in OpenNebula's database, here escaped. */
const mostBytes: Readonly<Record<Answer<unknown>["_tag"], number>> = {
  Integer: 65_536,
  Text: 1_000_000,
  Document: 100_000_000,
  Pool: Number.POSITIVE_INFINITY
}

const anyText: Answer<string> = { _tag: "Text", decode: Effect.succeed }

interface Parts {
  readonly settings: ClientSettings
  readonly transport: Transport
  readonly redact: (text: string) => string
  readonly limiter: FairLimiter
  readonly observe: CallObserver
  readonly protect: <A>(exchange: Effect.Effect<A, OpenNebulaError>) => Effect.Effect<A, OpenNebulaError>
}

const makeCall =
  ({ settings, transport, redact, limiter, observe, protect }: Parts): OpenNebulaClient["call"] =>
  (method, params, answer) =>
    Effect.gen(function* () {
      const { endpoint, session, maxAnswerBytes } = settings
      const ids = namedIds(method, params)
      const call: CallContext = { method, endpoint, ...(ids[0] === undefined ? {} : { objectId: ids[0] }) }
      const body = yield* encodeRequest(call, session, params)
      const owner = yield* FiberRef.get(CallOwner)
      const clock = yield* Effect.clock
      const asked = clock.unsafeCurrentTimeMillis()
      const changes = !isLook(method)
      const gate = changes ? yield* FiberRef.get(sendingGate) : Effect.void

      const exchange = Effect.suspend(() => {
        const began = clock.unsafeCurrentTimeMillis()
        let bytes = 0
        const counting = <E>(next: NextChunk<E>): NextChunk<E> =>
          Effect.map(next, (chunk) => {
            bytes += Option.match(chunk, { onNone: () => 0, onSome: (some) => some.byteLength })
            return chunk
          })
        const tell = <B>(exit: Exit.Exit<B, OpenNebulaError>) => {
          const ms = clock.unsafeCurrentTimeMillis() - began
          const event = { endpoint, method, ids, outcome: outcomeOf(exit), ms, waitedMs: began - asked, bytes, owner }
          const attributes = {
            "server.address": endpoint,
            "opennebula.ids": ids,
            "opennebula.owner": owner,
            "opennebula.bytes": bytes,
            "opennebula.waited_ms": event.waitedMs
          }
          // An observer looks on: whatever happens to it, the call's result stands.
          return Effect.zipRight(
            annotateSpan(attributes),
            Effect.catchAllCause(observe(event), () => Effect.void)
          )
        }
        return transport
          .post(
            call,
            body,
            (next) =>
              decodeAnswer(answer, counting(next), {
                call,
                limitBytes: Math.min(maxAnswerBytes, mostBytes[answer._tag]),
                redact
              }),
            gate
          )
          .pipe(Effect.onExit(tell))
      })
      // Inside its place: those who queue for one when the front-end goes away are told so in their turn, and send nothing.
      const told = underWay({ system: "opennebula", call: method, about: ids.join(" ") })
      // What was sent is carried out, whoever hangs up: it might be so after the next process has looked for what it made.
      const sent = changes ? Effect.uninterruptible(exchange) : exchange
      return yield* limiter.withPlace(owner)(throughGate(changes)(protect(told(sent))))
    }).pipe(spanned(method, { kind: "client" }))

export interface MakeClientOptions {
  /** The front-end's places, where several clients share them. */
  readonly limiter?: FairLimiter
  readonly observe?: CallObserver
  /** The front-end's breaker; without one, every call is sent. */
  readonly breaker?: Breaker<OpenNebulaError>
}

/** Makes a client from settings that were read already. */
export const clientFromSettings = (
  settings: ClientSettings,
  { limiter = makeFairLimiter(settings.maxConcurrent), observe = () => Effect.void, breaker }: MakeClientOptions = {}
): Effect.Effect<OpenNebulaClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const redact = makeRedactor(settings.session)
    const transport = yield* makeTransport({ ...settings, limitBytes: settings.maxAnswerBytes, redact })
    const parts = { settings, transport, redact, limiter, observe }
    // Past the breaker and without a queue: a probe is for when nothing else is sent.
    const probe = makeCall({ ...parts, limiter: makeFairLimiter(1), protect: identity })(
      "one.system.version",
      [],
      anyText
    )
    yield* breaker?.join(probe) ?? Effect.void
    return {
      endpoint: settings.endpoint,
      call: makeCall({ ...parts, protect: breaker?.protect ?? identity }),
      listen: breaker?.listen ?? Effect.void
    }
  })

/** A client with places of its own; its connections end with the scope. Fails with what is wrong in the settings. */
export const makeClient = (
  settings: OpenNebulaSettings,
  options?: MakeClientOptions
): Effect.Effect<OpenNebulaClient, OfferingFault, Scope.Scope> =>
  Effect.flatMap(readSettings(settings), (read) => clientFromSettings(read, options))
