/** Servers on 127.0.0.1 for one test each: they stop with its scope, whatever is still open. */
import { readFileSync } from "node:fs"
import { createServer, type RequestListener, type Server } from "node:http"
import { createServer as createSecureServer } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

export const certificateFile = new URL("../fixtures/tls/certificate.pem", import.meta.url).pathname
const keyFile = new URL("../fixtures/tls/key.pem", import.meta.url).pathname

interface Listening {
  listen(port: number, host: string, done: () => void): unknown
  address(): AddressInfo | string | null
  close(done: () => void): unknown
  on(event: "connection", listener: (socket: Socket) => void): unknown
}

/** Starts it, and gives its port. */
export const serve = (server: Listening): Effect.Effect<number, never, Scope.Scope> => {
  const sockets = new Set<Socket>()
  const start = Effect.async<number>((resume) => {
    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(typeof address === "object" && address !== null ? Effect.succeed(address.port) : Effect.die("no port"))
    })
  })
  const stop = Effect.async<void>((resume) => {
    server.close(() => resume(Effect.void))
    for (const socket of sockets) socket.destroy()
  })
  return Effect.acquireRelease(start, () => stop)
}

/** After Node's own 5 s a test that stood still for longer would write to a connection that is being closed. */
const kept = { keepAliveTimeout: 75_000 }

export const serveHttp = (listener: RequestListener): Effect.Effect<number, never, Scope.Scope> =>
  serve(createServer(kept, listener))

export const makeHttps = (listener: RequestListener): Server =>
  createSecureServer({ ...kept, cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, listener)

/** A server that does with each connection what it is told. */
export const serveTcp = (onConnection: (socket: Socket) => void): Effect.Effect<number, never, Scope.Scope> =>
  serve(createTcpServer(onConnection))

/** The body of a request, once it is complete. */
export const readBody = (request: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  (async () => {
    const chunks: Array<Uint8Array> = []
    for await (const chunk of request) chunks.push(chunk)
    return Buffer.concat(chunks)
  })()
