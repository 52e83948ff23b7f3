/** The broker on web sockets, beside whatever else an HTTP server does: upgrades under its paths are its own, all others are 404. */
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { Duplex } from "node:stream"
import { Effect, type Scope } from "effect"
import { WebSocket, WebSocketServer } from "ws"
import { listening, type ServeError } from "../listening.js"
import { type Broker, makeBroker } from "./broker.js"
import { encode, type Frame, parse } from "./frames.js"
import { makeSession } from "./session.js"

const protocols: ReadonlyArray<string> = ["v12.stomp", "v11.stomp", "v10.stomp"]

/** `path`: with and without a slash at its end. Until the server closes. */
export const attach = (server: Server, broker: Broker, path: string): void => {
  const sockets = new WebSocketServer({
    noServer: true,
    // None of those offered: the upgrade goes well without one, and clients refuse that (recording 058).
    handleProtocols: (offered) => protocols.find((known) => offered.has(known)) ?? false
  })
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {})
    const wanted = new URL(request.url ?? "/", "http://localhost").pathname.replace(/\/$/, "")
    const refused = wanted === path ? broker.behaviour.refuseUpgrade : 404
    if (refused !== undefined) {
      socket.end(`HTTP/1.1 ${refused} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => converse(broker, webSocket))
  })
}

const converse = (broker: Broker, socket: WebSocket): void => {
  let held: ReadonlyArray<Buffer> = []
  let rest: Buffer = Buffer.alloc(0)
  /** A text frame with whatever bytes, valid or not, as the real broker sends it (recording 033). */
  const write = (bytes: Buffer): void => {
    if (broker.behaviour.silent) held = [...held, bytes]
    else if (socket.readyState === WebSocket.OPEN) socket.send(bytes, { binary: broker.behaviour.binaryFrames })
  }
  const session = makeSession(broker, {
    send: (frame: Frame) => write(encode(frame)),
    beat: () => write(Buffer.from("\n")),
    close: (code, reason) => socket.close(code, reason),
    cut: () => socket.terminate()
  })
  let idle = () => {}
  const restart = (): void => {
    idle()
    idle = broker.timers.after(broker.behaviour.idleLimit, () => {
      if (!broker.behaviour.silent) socket.close(1000)
    })
  }
  restart()
  socket.on("error", () => {})
  socket.on("close", () => {
    idle()
    session.gone()
  })
  socket.on("message", (data) => {
    if (broker.behaviour.silent) return
    for (const bytes of held) write(bytes)
    held = []
    restart()
    session.heard()
    const { frames, rest: left } = parse(Buffer.concat([rest, bytesOf(data)]))
    rest = left
    for (const frame of frames) session.receive(frame)
  })
}

const bytesOf = (data: Buffer | ArrayBuffer | ReadonlyArray<Buffer>): Buffer =>
  Buffer.isBuffer(data) ? data : data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.concat([...data])

export interface ServedBroker {
  readonly broker: Broker
  readonly port: number
}

/** A broker by itself, on 127.0.0.1; port 0 is any free one. Until the scope closes. */
export const serveBroker = (
  options: { readonly broker?: Broker; readonly port?: number; readonly path?: string } = {}
): Effect.Effect<ServedBroker, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const broker = options.broker ?? makeBroker()
    const server = createServer((_, response) => {
      response.writeHead(404)
      response.end()
    })
    attach(server, broker, options.path ?? "/ws")
    const port = yield* listening(server, { host: "127.0.0.1", port: options.port ?? 0 }, () => broker.cutAll())
    return { broker, port }
  })
