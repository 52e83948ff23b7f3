/**
 * One POST, one answer, over undici itself. `@effect/platform`'s HttpClient hides what decides here: whether a failed call had
 * already gone out, the proxy and TLS settings of one front-end, and when a connection is given up.
 *
 * Facts of OpenNebula 7.4's server (recorded HTTP behaviour): it wants a Content-Length (411 without), and closes the connection
 * after each answer also when asked not to. So each call has a connection of its own, and none is kept. Redirects are not followed:
 * the body holds the session.
 */
import { Readable } from "node:stream"
import { Effect, FiberRef, type Scope } from "effect"
import { Agent, type Dispatcher, errors, ProxyAgent } from "undici"
import { makeTimeLimit } from "../../core/timeLimit.js"
import { type CallContext, HttpFailure, TimedOut, Unreachable, WrongEndpoint } from "../errors.js"
import { Inbox, type NextChunk } from "./inbox.js"

/** Until the TCP connection and TLS stand. Below the call's own time-out, so that "not sent" can be told from "no answer". */
const connectTimeoutMillis = 10_000

/**
 * undici 7 throws in the socket's event handler, which ends the process, when the server closes the connection while undici has
 * paused it (nodejs/undici#5360, mended in 8); and this server closes it after every answer. So undici must never pause: what
 * arrives faster than it is decoded waits in the `Inbox`, up to the limit of an answer.
 */
const withoutBackpressure = Number.MAX_SAFE_INTEGER

export interface TransportOptions {
  /** Complete, with its path. */
  readonly url: URL
  /** Certificates (PEM) to trust instead of the system's. */
  readonly certificateAuthority?: string | undefined
  /** Default true. */
  readonly verifySsl?: boolean | undefined
  /** `http://[user:password@]host:port` or `https://...` */
  readonly proxy?: URL | undefined
  /** Cleans what the system says of a failed connection. */
  readonly redact: (text: string) => string
  /** For one exchange, from connecting to the last byte. */
  readonly timeoutMillis: number
  /** What is received beyond this is not kept: the connection is given up, and the answer ends there. */
  readonly limitBytes: number
}

export type TransportError = Unreachable | TimedOut | HttpFailure | WrongEndpoint

export interface Transport {
  /**
   * Sends `body` and has `read` read the answer; the connection is gone when this ends, however it ends.
   */
  readonly post: <A, E, R>(
    call: CallContext,
    body: Buffer,
    read: (next: NextChunk<Unreachable>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | TransportError, R>
}

const makeDispatcher = ({ proxy, certificateAuthority, verifySsl = true }: TransportOptions): Dispatcher => {
  const tls = {
    rejectUnauthorized: verifySsl,
    ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority })
  }
  // The call's own time-out rules: undici's clocks are neither Effect's nor the operator's.
  const common = { pipelining: 0, headersTimeout: 0, bodyTimeout: 0 }
  if (proxy === undefined) return new Agent({ ...common, connect: { ...tls, timeout: connectTimeoutMillis } })
  return new ProxyAgent({
    ...common,
    uri: proxy.href,
    requestTls: { ...tls, timeout: connectTimeoutMillis },
    proxyTls: { ...tls, timeout: connectTimeoutMillis },
    // Plain HTTP goes through as an ordinary proxy request: many proxies allow CONNECT only to port 443.
    proxyTunnel: false
  })
}

/** What undici or the system says, with its code; some system errors have only causes. */
const reasonOf = (cause: unknown): string => {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0])
  if (!(cause instanceof Error)) return "unknown"
  const code = "code" in cause && typeof cause.code === "string" ? `${cause.code} ` : ""
  return code !== "" && cause.message.includes(code.trim()) ? cause.message : `${code}${cause.message}`
}

/**
 * A call on its way: `sent` turns true when the connection stands and undici fetches the body to write it. At its end the connection is given up,
 * also that of an answer that nobody reads to its end.
 */
export class Sending {
  sent = false
  /** All of the answer is there: nothing is left to be given up, and an abort would only make its errors. */
  over = false
  private controller: AbortController | undefined

  get signal(): AbortSignal {
    this.controller ??= new AbortController()
    return this.controller.signal
  }

  end(): void {
    if (!this.over) this.controller?.abort(new errors.RequestAbortedError())
  }

  content(body: Buffer): Readable {
    const markSent = () => {
      this.sent = true
    }
    return new Readable({
      read() {
        markSent()
        this.push(body)
        this.push(null)
      }
    })
  }

  get outcome(): "not-sent" | "unknown" {
    return this.sent ? "unknown" : "not-sent"
  }
}

const checkStatus = (call: CallContext, status: number): Effect.Effect<void, HttpFailure | WrongEndpoint> => {
  if (status === 200) return Effect.void
  if (status === 404 || status === 405) {
    return new WrongEndpoint({ ...call, status, hint: "Check the path of api_url: OpenNebula serves /RPC2." })
  }
  if (status >= 300 && status < 400) {
    return new WrongEndpoint({ ...call, status, hint: "It redirects: give the final URL as api_url." })
  }
  return new HttpFailure({ ...call, status })
}

/** What came back of a request: the status at once, the answer piece by piece. Errors are whatever the connection broke of. */
export interface Reply {
  readonly statusCode: number
  readonly next: NextChunk<unknown>
}

/** Takes one request to the front-end. The connection, and an answer that nobody reads any more, end with `sending`. */
export type Carrier = (body: Buffer, sending: Sending) => Effect.Effect<Reply, unknown>

const overUndici = ({ url, limitBytes, ...options }: TransportOptions): Effect.Effect<Carrier, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => makeDispatcher({ url, limitBytes, ...options })),
      (open) => Effect.promise(() => open.destroy())
    ),
    (dispatcher) => (body, sending) =>
      Effect.tryPromise({
        try: async () => {
          const { statusCode, body: answer } = await dispatcher.request({
            origin: url.origin,
            path: `${url.pathname}${url.search}`,
            method: "POST",
            headers: { "content-type": "text/xml", "content-length": String(body.length) },
            body: sending.content(body),
            signal: sending.signal,
            highWaterMark: withoutBackpressure
          })
          answer.once("end", () => {
            sending.over = true
          })
          // At once, and whether somebody still waits for it or not: an aborted body without a listener would end the process.
          return { statusCode, next: new Inbox(answer, limitBytes).next }
        },
        catch: (cause) => cause
      })
  )

/** How front-ends are reached. A simulation without a network puts its own carrier in place of undici. */
export const carriers: FiberRef.FiberRef<(options: TransportOptions) => Effect.Effect<Carrier, never, Scope.Scope>> =
  FiberRef.unsafeMake(overUndici)

/** A transport to one front-end; its connections end with the scope. */
export const makeTransport = (options: TransportOptions): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { redact, timeoutMillis } = options
    const { within } = yield* makeTimeLimit(timeoutMillis)
    const carry = yield* (yield* FiberRef.get(carriers))(options)

    const unreachable = (call: CallContext, sending: Sending) => (cause: unknown) =>
      new Unreachable({ ...call, reason: redact(reasonOf(cause)), outcome: sending.outcome })

    const post: Transport["post"] = (call, body, read) =>
      Effect.suspend(() => {
        const sending = new Sending()
        const exchange = Effect.gen(function* () {
          const { statusCode, next } = yield* Effect.mapError(carry(body, sending), unreachable(call, sending))
          yield* checkStatus(call, statusCode)
          return yield* read(Effect.mapError(next, unreachable(call, sending)))
        })
        return within(
          Effect.ensuring(
            exchange,
            Effect.sync(() => sending.end())
          ),
          () => new TimedOut({ ...call, seconds: timeoutMillis / 1000, outcome: sending.outcome })
        )
      })

    return { post }
  })
