/**
 * The web socket under STOMP: `ws`, with the TLS, the authority and the proxy of the offering, as its HTTP calls have them.
 *
 * stompjs gets the bytes as they came. Decoded as text, a body that is not UTF-8 would either end the connection, and come again for ever
 * (recordings 033 and 034), or lose its length and spoil the frames behind it.
 */
import type { IStompSocket } from "@stomp/stompjs"
import { Effect, Redacted } from "effect"
import { WebSocket } from "ws"
import { TunnelAgent } from "../../connect/index.js"
import { OfferingFault } from "../../core/errors.js"
import { readCa, type TransportOptions } from "../http/transport.js"
import { withoutBody } from "./oversized.js"
import type { BrokerPlace, Timing } from "./types.js"

/**
 * `apiUrl`'s host, unless another is given; its port, if that is not; `/rmqws-stomp`. Without a port of its own: 443, or 80 without TLS.
 */
export const brokerUrl = (apiUrl: string, place: BrokerPlace): string => {
  const api = new URL(apiUrl)
  const sameServer = place.host === undefined && (api.protocol === "https:") === place.tls
  const port = place.port ?? (sameServer && api.port !== "" ? Number(api.port) : place.tls ? 443 : 80)
  const path = (place.path ?? "/rmqws-stomp").replace(/^\/*/, "/")
  const url = new URL(`${place.tls ? "wss" : "ws"}://${place.host ?? api.hostname}:${port}`)
  url.pathname = path
  return url.href
}

/** The way to the broker. */
export interface Sockets {
  /** Opens one each time it is called. */
  readonly open: (timing: Pick<Timing, "connect" | "largestMessage">) => IStompSocket
  /** Over `global_proxy`, which then may be what cannot be reached, or what hangs up. */
  readonly throughProxy: boolean
}

/** The options are looked at once. */
export const makeSockets = (url: string, options: TransportOptions): Effect.Effect<Sockets, OfferingFault> =>
  Effect.gen(function* () {
    const file = options.tls?.caFile
    const ca = file === undefined ? {} : { ca: yield* readCa(file) }
    const tls = { rejectUnauthorized: options.tls?.verify ?? true, ...ca }
    const proxy = options.proxy
    const agent =
      proxy === undefined
        ? undefined
        : yield* Effect.try({
            try: () => new TunnelAgent(new URL(Redacted.value(proxy)), tls, url.startsWith("wss:")),
            // The cause may quote the proxy's address, password and all.
            catch: () =>
              new OfferingFault({
                reason: "The proxy's address is not a URL.",
                hint: "It looks like http://host:3128."
              })
          })
    const open = ({ connect, largestMessage }: Pick<Timing, "connect" | "largestMessage">) =>
      adapted(
        new WebSocket(url, ["v12.stomp", "v11.stomp", "v10.stomp"], {
          ...tls,
          ...(agent === undefined ? {} : { agent }),
          handshakeTimeout: connect,
          maxPayload: largestMessage,
          perMessageDeflate: false,
          skipUTF8Validation: true
        })
      )
    return { open, throughProxy: proxy !== undefined }
  })

/** As stompjs wants it. A terminated socket is closed at once, and not when the other side has agreed (recording 053: 30 s later). */
const adapted = (socket: WebSocket): IStompSocket => {
  let over = false
  const closed = (code: number, reason: string): void => {
    if (over) return
    over = true
    stomp.onclose?.({ code, reason })
  }
  const cut = (): void => {
    socket.terminate()
    closed(1006, "")
  }
  const stomp: IStompSocket = {
    url: socket.url,
    onclose: undefined,
    onerror: undefined,
    onmessage: undefined,
    onopen: undefined,
    get readyState() {
      return socket.readyState
    },
    close: () => socket.close(),
    terminate: cut,
    send: (data) => {
      if (typeof data === "string") socket.send(data)
    }
  }
  socket.on("open", () => stomp.onopen?.())
  socket.on("message", (data) => {
    if (over) return
    const small = Buffer.isBuffer(data) ? withoutBody(data) : data
    if (small !== undefined) return stomp.onmessage?.({ data: small })
    stomp.onerror?.({ error: new Error("it sends what is too large and no message") })
    cut()
  })
  socket.on("error", (error) => stomp.onerror?.({ error }))
  socket.on("close", (code, reason) => closed(code, reason.toString()))
  return stomp
}
