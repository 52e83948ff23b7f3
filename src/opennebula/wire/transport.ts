/**
 * One POST, one answer, over Node's own HTTP. `@effect/platform`'s HttpClient hides what decides here: whether a failed call had
 * already gone out, the proxy and TLS settings of one front-end, and when a connection is given up.
 *
 * Facts of OpenNebula 7.4's server (recorded HTTP behaviour): it wants a Content-Length (411 without), and closes the connection
 * after each answer also when asked not to. So each call has a connection of its own, and none is kept. Redirects are not followed:
 * the body holds the session.
 */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from "node:http"
import { Agent as HttpsAgent, request as httpsRequest } from "node:https"
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import { Deferred, Effect, FiberId, FiberRef, type Scope } from "effect"
import { HttpProxyAgent } from "http-proxy-agent"
import { TunnelAgent, type TunnelTls } from "../../connect/index.js"
import { makeTimeLimit } from "../../core/lean/timeLimit.js"
import { type CallContext, HttpFailure, TimedOut, Unreachable, WrongEndpoint } from "../errors.js"
import { Inbox, type NextChunk } from "./inbox.js"

/** Until the TCP connection and TLS stand. Below the call's own time-out, so that "not sent" can be told from "no answer". */
const connectTimeoutMillis = 10_000

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
   * Sends `body` and has `read` read the answer; the connection is gone when this ends, however it ends. `gate`: what has to be passed when the connection
   * stands, before anything is written.
   */
  readonly post: <A, E, R>(
    call: CallContext,
    body: Buffer,
    read: (next: NextChunk<Unreachable>) => Effect.Effect<A, E, R>,
    gate?: Effect.Effect<void>
  ) => Effect.Effect<A, E | TransportError, R>
}

const tlsOf = ({ certificateAuthority, verifySsl = true }: TransportOptions): TunnelTls => ({
  rejectUnauthorized: verifySsl,
  ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority })
})

/** Plain HTTP goes through a proxy as an ordinary request: many proxies allow CONNECT only to port 443. */
const makeAgent = ({ proxy, url, ...options }: TransportOptions): HttpAgent => {
  const isSecure = url.protocol === "https:"
  if (proxy === undefined) return isSecure ? new HttpsAgent() : new HttpAgent()
  const tls = tlsOf({ url, ...options })
  return isSecure ? new TunnelAgent(proxy, tls, true) : new HttpProxyAgent(proxy, tls)
}

/** What Node or the system says, with its code; some system errors have only causes. */
const reasonOf = (cause: unknown): string => {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0])
  if (!(cause instanceof Error)) return "unknown"
  const code = "code" in cause && typeof cause.code === "string" ? `${cause.code} ` : ""
  // OpenSSL's own words, "error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/...", without where in its source.
  const ofTls = /:SSL routines:[^:]*:([^:]+):/.exec(cause.message)?.[1]
  if (ofTls !== undefined) return `${code}${ofTls}`
  return code !== "" && cause.message.includes(code.trim()) ? cause.message : `${code}${cause.message}`
}

/**
 * A call on its way: `sent` turns true when the connection stands, TLS included, as Node writes the body from then on; where a gate is to be passed
 * before, when it was. At its end the connection is given up, also that of an answer that nobody reads to its end.
 */
export class Sending {
  sent = false
  private request: ClientRequest | undefined

  end(): void {
    this.request?.destroy()
  }

  /** Until the connection stands, `request` has `connectTimeoutMillis`. */
  watch(
    request: ClientRequest,
    whenItStands: () => void = () => {
      this.sent = true
    }
  ): void {
    this.request = request
    const late = setTimeout(() => {
      request.destroy(new Error(`ETIMEDOUT no connection within ${connectTimeoutMillis / 1000} s`))
    }, connectTimeoutMillis)
    request.once("close", () => clearTimeout(late))
    request.once("socket", (socket: Socket) => {
      const stands = () => {
        clearTimeout(late)
        whenItStands()
      }
      if (socket instanceof TLSSocket) socket.once("secureConnect", stands)
      else if (socket.connecting) socket.once("connect", stands)
      else stands()
    })
  }

  get outcome(): "not-sent" | "unknown" {
    return this.sent ? "unknown" : "not-sent"
  }
}

const checkStatus = (
  call: CallContext,
  status: number,
  way: { readonly throughProxy?: boolean }
): Effect.Effect<void, HttpFailure | WrongEndpoint> => {
  if (status === 200) return Effect.void
  if (status === 404 || status === 405) {
    return new WrongEndpoint({ ...call, status, hint: "Check the path of api_url: OpenNebula serves /RPC2." })
  }
  if (status >= 300 && status < 400) {
    return new WrongEndpoint({ ...call, status, hint: "It redirects: give the final URL as api_url." })
  }
  return new HttpFailure({ ...call, ...way, status })
}

/** What came back of a request: the status at once, the answer piece by piece. Errors are whatever the connection broke of. */
export interface Reply {
  readonly statusCode: number
  readonly next: NextChunk<unknown>
}

/** Takes one request to the front-end. The connection, and an answer that nobody reads any more, end with `sending`. `gate`: as in `Transport`. */
export type Carrier = (body: Buffer, sending: Sending, gate: Effect.Effect<void>) => Effect.Effect<Reply, unknown>

const overHttp = (options: TransportOptions): Effect.Effect<Carrier, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => makeAgent(options)),
      (agent) => Effect.sync(() => agent.destroy())
    ),
    (agent) => {
      const { limitBytes, url } = options
      const start = url.protocol === "https:" ? httpsRequest : httpRequest
      const common = { method: "POST", agent, ...tlsOf(options) }
      const open = (length: number, tell: (reply: Effect.Effect<Reply, unknown>) => void): ClientRequest => {
        const headers = { "content-type": "text/xml", "content-length": length }
        let isAnswered = false
        const request = start(url, { ...common, headers }, (answer) => {
          isAnswered = true
          // Its reader at once, and whether somebody still waits for it or not: a broken answer without a listener would end the process.
          tell(Effect.succeed({ statusCode: answer.statusCode ?? 0, next: new Inbox(answer, limitBytes).next }))
        })
        request.on("error", (cause) => tell(Effect.fail(cause)))
        request.once("close", () => {
          // Neither an answer nor an error came before: a switch of protocols, which nobody asked for.
          if (!isAnswered) tell(Effect.fail(new Error("closed without an answer")))
        })
        return request
      }
      const atOnce = (body: Buffer, sending: Sending) =>
        Effect.async<Reply, unknown>((resume) => {
          const request = open(body.length, resume)
          sending.watch(request)
          request.end(body)
        })
      const through = (body: Buffer, sending: Sending, gate: Effect.Effect<void>) =>
        Effect.suspend(() => {
          const reply = Deferred.unsafeMake<Reply, unknown>(FiberId.none)
          const isUp = Deferred.unsafeMake<void>(FiberId.none)
          const up = () => Deferred.unsafeDone(isUp, Effect.void)
          const request = open(body.length, (came) => {
            Deferred.unsafeDone(reply, came)
            up()
          })
          sending.watch(request, up)
          const write = Effect.sync(() => {
            sending.sent = !request.destroyed
            request.end(body)
          })
          return Deferred.await(isUp).pipe(
            Effect.zipRight(gate),
            Effect.zipRight(write),
            Effect.zipRight(Deferred.await(reply))
          )
        })
      return (body, sending, gate) => (gate === Effect.void ? atOnce(body, sending) : through(body, sending, gate))
    }
  )

/** How front-ends are reached. A simulation without a network puts its own carrier in place of Node's HTTP. */
export const carriers: FiberRef.FiberRef<(options: TransportOptions) => Effect.Effect<Carrier, never, Scope.Scope>> =
  FiberRef.unsafeMake(overHttp)

/** A transport to one front-end; its connections end with the scope. */
export const makeTransport = (options: TransportOptions): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { proxy, redact, timeoutMillis } = options
    const way = proxy === undefined ? {} : { throughProxy: true }
    const { within } = yield* makeTimeLimit(timeoutMillis)
    const carry = yield* (yield* FiberRef.get(carriers))(options)

    const unreachable = (call: CallContext, sending: Sending) => (cause: unknown) =>
      new Unreachable({ ...call, ...way, reason: redact(reasonOf(cause)), outcome: sending.outcome })

    const post: Transport["post"] = (call, body, read, gate = Effect.void) =>
      Effect.suspend(() => {
        const sending = new Sending()
        const exchange = Effect.gen(function* () {
          const { statusCode, next } = yield* Effect.mapError(carry(body, sending, gate), unreachable(call, sending))
          yield* checkStatus(call, statusCode, way)
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
