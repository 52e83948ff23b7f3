/** The marketplace on real HTTP, under `/api/`. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect, FiberSet, type Scope } from "effect"
import { listening, type ServeError } from "../listening.js"
import { attach } from "../stomp/index.js"
import type { Answer } from "./answers.js"
import { type Marketplace, type MarketplaceOptions, makeMarketplace, type Reply } from "./marketplace.js"
import type { ApiRequest } from "./request.js"

export interface ServeOptions extends MarketplaceOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly host?: string
  /** Serves this marketplace rather than a new one; the other options are then those that it was made with. */
  readonly marketplace?: Marketplace
}

export interface Served {
  /** `http://127.0.0.1:8000`. */
  readonly url: string
  readonly port: number
  readonly marketplace: Marketplace
}

/** Listens until the scope closes; then open connections are cut. */
export const serve = (options: ServeOptions = {}): Effect.Effect<Served, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const marketplace = options.marketplace ?? (yield* makeMarketplace(options))
    const host = options.host ?? "127.0.0.1"
    const run = yield* FiberSet.makeRuntime<never, void>()
    const server = createServer((incoming, response) => {
      readAll(incoming, (body) => {
        try {
          const reply = marketplace.answer(toRequest(incoming, host, body))
          if (Effect.isEffect(reply)) run(late(reply, incoming, response))
          else give(reply, incoming, response)
        } catch (defect) {
          crash(response, defect)
        }
      })
    })
    attach(server, marketplace.broker, "/rmqws-stomp")
    const port = yield* listening(server, { host, port: options.port ?? 0 }, () => marketplace.broker.cutAll())
    return { url: `http://${host}:${port}`, port, marketplace }
  })

const late = (reply: Effect.Effect<Reply>, incoming: IncomingMessage, response: ServerResponse): Effect.Effect<void> =>
  Effect.map(reply, (given) => give(given, incoming, response)).pipe(
    Effect.catchAllDefect((defect) => Effect.sync(() => crash(response, defect)))
  )

const give = (reply: Reply, incoming: IncomingMessage, response: ServerResponse): void => {
  if (reply._tag === "Cut") incoming.socket.destroy()
  else send(response, reply.answer)
}

/** A client that goes away before it has said all is not answered. */
const readAll = (incoming: IncomingMessage, then: (body: string) => void): void => {
  const chunks: Array<Buffer> = []
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
  incoming.once("end", () => then(chunks.length === 0 ? "" : Buffer.concat(chunks).toString("utf8")))
}

const toRequest = (incoming: IncomingMessage, host: string, body: string): ApiRequest => {
  const origin = `http://${incoming.headers.host ?? host}`
  const headers: { [name: string]: string | undefined } = {}
  for (const name of Object.keys(incoming.headers)) {
    const value = incoming.headers[name]
    headers[name] = Array.isArray(value) ? value.join(", ") : value
  }
  return { method: incoming.method ?? "GET", ...partsOf(incoming.url ?? "/", origin), headers, body, origin }
}

/** A path that `URL` would leave as it is: no escapes, no dots, nothing that is not ASCII. */
const plain = /^\/[\w/-]*$/

const partsOf = (address: string, origin: string): Pick<ApiRequest, "path" | "query"> => {
  const mark = address.indexOf("?")
  const path = mark === -1 ? address : address.slice(0, mark)
  if (plain.test(path) && !path.startsWith("//") && !address.includes("#"))
    return { path, query: new URLSearchParams(mark === -1 ? "" : address.slice(mark + 1)) }
  const url = new URL(address, origin)
  return { path: url.pathname, query: url.searchParams }
}

const send = (response: ServerResponse, { status, headers, body }: Answer): void => {
  const text = body === undefined ? "" : "json" in body ? JSON.stringify(body.json) : body.html
  response.writeHead(status, { ...headers, "X-Frame-Options": "DENY", "Content-Length": Buffer.byteLength(text) })
  response.end(text)
}

/** A bug of the simulator: told apart from Waldur's own 500 by its text. */
const crash = (response: ServerResponse, defect: unknown): void => {
  const text = `simulator defect: ${defect instanceof Error ? (defect.stack ?? defect.message) : String(defect)}`
  if (!response.headersSent) response.writeHead(500, { "Content-Type": "text/plain" })
  response.end(text)
}
