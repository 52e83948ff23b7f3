/** Keycloak on real HTTP. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect, type Scope } from "effect"
import { listening, type ServeError } from "../listening.js"
import { answer } from "./dispatch.js"
import type { Request } from "./http.js"
import { type Administrator, makeWorld, type World } from "./world.js"

export interface KeycloakOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly host?: string
  /** Of the master realm; `admin` with this password if it is left out. */
  readonly administrator?: Administrator
}

export interface Served {
  /** `http://127.0.0.1:8080`, without a slash at its end. */
  readonly url: string
  readonly world: World
}

/** Listens until the scope closes; then open connections are cut. */
export const serve = (options: KeycloakOptions = {}): Effect.Effect<Served, ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const world = makeWorld(options.administrator ?? { username: "admin", password: "admin-test-pw" })
    const host = options.host ?? "127.0.0.1"
    const server = createServer((incoming, response) => receive(world, host, incoming, response))
    const port = yield* listening(server, { host, port: options.port ?? 0 })
    return { url: `http://${host}:${port}`, world }
  })

const receive = (world: World, host: string, incoming: IncomingMessage, response: ServerResponse): void => {
  const chunks: Array<Buffer> = []
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
  incoming.once("end", () => {
    const request = toRequest(incoming, host, Buffer.concat(chunks).toString("utf8"))
    world.requests.push(`${request.method} ${request.path}`)
    const fault = world.fault(request)
    if (fault?._tag === "Cut") incoming.socket.destroy()
    else if (fault?._tag === "Answer") send(response, fault.status, { "Content-Type": "text/plain" }, fault.text ?? "")
    else reply(world, request, response)
  })
}

const reply = (world: World, request: Request, response: ServerResponse): void => {
  try {
    const { status, headers, text } = answer(world, request)
    send(response, status, headers, text)
  } catch (defect) {
    // Told apart from Keycloak's own 500 by its text.
    const text = `simulator defect: ${defect instanceof Error ? (defect.stack ?? defect.message) : String(defect)}`
    send(response, 500, { "Content-Type": "text/plain" }, text)
  }
}

const send = (
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string
): void => {
  response.writeHead(status, {
    ...headers,
    ...(status === 204 ? {} : { "content-length": String(Buffer.byteLength(text)) })
  })
  response.end(text)
}

const toRequest = (incoming: IncomingMessage, host: string, body: string): Request => {
  const origin = `http://${incoming.headers.host ?? host}`
  const url = new URL(incoming.url ?? "/", origin)
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value])
  )
  return { method: incoming.method ?? "GET", path: url.pathname, query: url.searchParams, headers, body, origin }
}
