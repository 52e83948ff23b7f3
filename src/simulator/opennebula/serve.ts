/** The front-end behind real HTTP, one request per connection as OpenNebula's server has it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect, FiberSet, type Scope } from "effect"
import { listening, type ServeError } from "../listening.js"
import { type FrontEnd, type FrontEndOptions, type HttpAnswer, makeFrontEnd } from "./front-end.js"
import type { ConnectionDropped } from "./interception.js"
import { refuseRequest } from "./wire/http.js"

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

const readBody = (request: IncomingMessage, then: (body: Uint8Array) => void): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => then(Buffer.concat(chunks)))
  request.on("error", () => request.socket.destroy())
}

const give = (response: ServerResponse, { body, status }: HttpAnswer): void =>
  respond(response, status, status === 200 ? "text/xml; charset=utf-8" : "text/html", body)

const late = (
  given: Effect.Effect<HttpAnswer, ConnectionDropped>,
  request: IncomingMessage,
  response: ServerResponse
): Effect.Effect<void> =>
  Effect.map(given, (answer) => give(response, answer)).pipe(
    // A dropped call and a client that went away look the same from outside: the connection just ends.
    Effect.catchAll(() => Effect.sync(() => request.socket.destroy()))
  )

const answer = (
  frontEnd: FrontEnd,
  request: IncomingMessage,
  response: ServerResponse,
  run: (late: Effect.Effect<void>) => void
): void => {
  const refused = refuseRequest({
    method: request.method ?? "",
    url: request.url ?? "",
    contentLength: request.headers["content-length"]
  })
  if (refused !== undefined) {
    respond(response, refused.status, refused.contentType, refused.body, refused.headers)
    return
  }
  readBody(request, (body) => {
    try {
      const given = frontEnd.answer(body)
      if (Effect.isEffect(given)) run(late(given, request, response))
      else give(response, given)
    } catch (defect) {
      // A bug of the simulator, told apart from what a front-end says.
      give(response, { status: 500, body: `simulator defect: ${String(defect)}` })
    }
  })
}

/** Listens until the scope closes. */
export const serve = (options: ServeOptions): Effect.Effect<Served, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const frontEnd = yield* makeFrontEnd(options)
    const run = yield* FiberSet.makeRuntime<never>()
    const host = options.host ?? "127.0.0.1"
    const server = createServer({ keepAlive: false }, (request, response) => {
      answer(frontEnd, request, response, run)
    })
    server.on("clientError", (_, socket) => {
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-type: text/html\r\nConnection: close\r\nServer: ${serverName}\r\n\r\n`
      )
    })
    const port = yield* listening(server, { host, port: options.port })
    return { url: `http://${host}:${port}/RPC2`, port, frontEnd }
  })
