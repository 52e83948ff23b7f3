/** Bytes to Waldur and back: undici with TLS and proxy as configured, one time-out for the whole exchange, a limit for the answer's size. */
import { readFile } from "node:fs/promises"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Duration, Effect, FiberRef, Option, type Redacted, type Scope } from "effect"
import type { Dispatcher } from "undici"
import { openDispatcher, reasonOf, refusalOf } from "../../connect/index.js"
import { OfferingFault } from "../../core/errors.js"
import { makeTimeLimit } from "../../core/lean/timeLimit.js"
import { WaldurMalformedAnswer, WaldurTimedOut, WaldurUnreachable } from "../errors.js"
import type { RawAnswer } from "./answer.js"

export interface TransportOptions {
  readonly tls?: {
    /** Default true. */
    readonly verify?: boolean
    /** PEM, in addition to nothing: these are then the only authorities trusted. */
    readonly caFile?: string
  }
  /** "http://proxy:3128"; may hold a password. */
  readonly proxy?: Redacted.Redacted<string>
  /** For one exchange, from connecting to the last byte. Default 30 s. */
  readonly timeout?: Duration.DurationInput
  /** Default 32 MiB: 300 resources are under 1 MiB. */
  readonly maxAnswerBytes?: number
}

type TransportError = WaldurUnreachable | WaldurTimedOut | WaldurMalformedAnswer

/** Sends one request. `call` names it in errors. */
export type Transport = (
  call: string,
  request: HttpClientRequest.HttpClientRequest
) => Effect.Effect<RawAnswer, TransportError>

export const readCa = (path: string): Effect.Effect<string, OfferingFault> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: () =>
      new OfferingFault({
        reason: `The CA file ${path} cannot be read.`,
        hint: "Give the path of a PEM file that the agent may read."
      })
  })

const dispatcherOf = (options: TransportOptions): Effect.Effect<Dispatcher, OfferingFault, Scope.Scope> =>
  Effect.gen(function* () {
    const path = options.tls?.caFile
    const tls = {
      rejectUnauthorized: options.tls?.verify ?? true,
      ...(path === undefined ? {} : { ca: yield* readCa(path) })
    }
    const { dispatcher } = yield* Effect.acquireRelease(
      Effect.try({
        try: () => openDispatcher(options.proxy, tls),
        // The cause may quote the proxy's address, password and all.
        catch: () =>
          new OfferingFault({ reason: "The proxy's address is not a URL.", hint: "It looks like http://host:3128." })
      }),
      ({ destroy }) => Effect.promise(destroy)
    )
    return dispatcher
  })

/** What a request carries. Waldur's are all JSON, which is there as bytes. */
const contentOf = ({ body }: HttpClientRequest.HttpClientRequest): Uint8Array | null =>
  body._tag === "Uint8Array" ? body.body : null

/**
 * undici itself rather than `@effect/platform`'s client: that reads an answer as a stream of its own and aborts each request at its end, also
 * one that has been answered: more than half of what a call cost (decision 57).
 */
const overUndici = (options: TransportOptions): Effect.Effect<Transport, OfferingFault, Scope.Scope> =>
  Effect.map(dispatcherOf(options), (dispatcher) => {
    const maxBytes = options.maxAnswerBytes ?? 32 * 1024 * 1024
    return (call, request) =>
      Effect.async<RawAnswer, TransportError>((resume, signal) => {
        const url = Option.getOrThrow(HttpClientRequest.toUrl(request))
        let isComplete = false
        const unreachable = (cause: unknown) => {
          // Each connection that has answered closes one day: no error, with its stack, for nobody.
          if (isComplete) return
          const throughProxy = options.proxy !== undefined
          resume(new WaldurUnreachable({ call, reason: reasonOf(cause), origin: url.origin, throughProxy }))
        }
        const read = ({ body, headers, statusCode: status }: Dispatcher.ResponseData) => {
          const refused = options.proxy === undefined ? undefined : refusalOf(status)
          if (refused !== undefined) unreachable(refused)
          const chunks: Array<Uint8Array> = []
          let size = 0
          body.on("data", (chunk: Uint8Array) => {
            size += chunk.byteLength
            chunks.push(chunk)
            if (size <= maxBytes) return
            resume(new WaldurMalformedAnswer({ call, reason: `larger than ${maxBytes} bytes` }))
            body.destroy()
          })
          // The first of these counts. A connection that breaks afterwards must have a listener all the same.
          body.on("error", unreachable)
          body.once("close", unreachable)
          body.once("end", () => {
            isComplete = true
            const header = (name: string) => Option.map(Option.fromNullable(headers[name.toLowerCase()]), String)
            resume(Effect.succeed({ status, header, body: Buffer.concat(chunks).toString("utf8") }))
          })
        }
        dispatcher
          .request({
            origin: url.origin,
            path: `${url.pathname}${url.search}`,
            method: request.method,
            headers: { ...request.headers },
            body: contentOf(request),
            signal,
            // The limit of the whole exchange is `makeTransport`'s.
            headersTimeout: 0,
            bodyTimeout: 0,
            // Never pauses the connection: when the server closes it while it is paused, undici 7 ends the process (nodejs/undici#5360). What is
            // read is bounded by `maxBytes` all the same.
            highWaterMark: 2 * maxBytes
          })
          .then(read, unreachable)
      })
  })

/** How marketplaces are reached. A simulation without a network puts its own in place of undici. */
export const carriers: FiberRef.FiberRef<
  (options: TransportOptions) => Effect.Effect<Transport, OfferingFault, Scope.Scope>
> = FiberRef.unsafeMake(overUndici)

export const makeTransport = (options: TransportOptions): Effect.Effect<Transport, OfferingFault, Scope.Scope> =>
  Effect.gen(function* () {
    const carry = yield* (yield* FiberRef.get(carriers))(options)
    const milliseconds = Duration.toMillis(options.timeout ?? "30 seconds")
    const { within } = yield* makeTimeLimit(milliseconds)
    return (call, request) => within(carry(call, request), () => new WaldurTimedOut({ call, milliseconds }))
  })
