/** The front-end behind real HTTP, one request per connection as OpenNebula's server has it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect, FiberSet, type Scope } from "effect"
import { listening, type ServeError } from "../listening.js"
import { type FrontEnd, type FrontEndOptions, makeFrontEnd } from "./front-end.js"
import { refuseRequest } from "./http.js"

export interface ServeOptions extends FrontEndOptions {
  /** 0: any free port. */
  readonly port: number
  readonly host?: string
}

export interface Served {
  /** For example "http://127.0.0.1:2633/RPC2". */
  readonly url: string
  readonly port: number
  readonly frontEnd: FrontEnd
}

const serverName = "Xmlrpc-c_Abyss/1.33.14"

const respond = (
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {}
): void => {
  response.writeHead(status, {
    "Content-type": contentType,
    "Content-length": String(Buffer.byteLength(body)),
    Connection: "close",
    Server: serverName,
    ...headers
  })
  response.end(body)
}

const readBody = (request: IncomingMessage): Effect.Effect<Uint8Array, Error> =>
  Effect.async((resume) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => resume(Effect.succeed(Buffer.concat(chunks))))
    request.on("error", (error) => resume(Effect.fail(error)))
  })

const answer = (frontEnd: FrontEnd, request: IncomingMessage, response: ServerResponse): Effect.Effect<void> =>
  Effect.gen(function* () {
    const refused = refuseRequest({
      method: request.method ?? "",
      url: request.url ?? "",
      contentLength: request.headers["content-length"]
    })
    if (refused !== undefined)
      return respond(response, refused.status, refused.contentType, refused.body, refused.headers)
    const { body, status } = yield* frontEnd.handle(yield* readBody(request))
    respond(response, status, status === 200 ? "text/xml; charset=utf-8" : "text/html", body)
  }).pipe(
    // A dropped call and a client that went away look the same from outside: the connection just ends.
    Effect.catchAll(() => Effect.sync(() => request.socket.destroy()))
  )

/** Listens until the scope closes. */
export const serve = (options: ServeOptions): Effect.Effect<Served, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const frontEnd = yield* makeFrontEnd(options)
    const run = yield* FiberSet.makeRuntime<never>()
    const host = options.host ?? "127.0.0.1"
    const server = createServer({ keepAlive: false }, (request, response) => {
      run(answer(frontEnd, request, response))
    })
    server.on("clientError", (_, socket) => {
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-type: text/html\r\nConnection: close\r\nServer: ${serverName}\r\n\r\n`
      )
    })
    const port = yield* listening(server, { host, port: options.port })
    return { url: `http://${host}:${port}/RPC2`, port, frontEnd }
  })
