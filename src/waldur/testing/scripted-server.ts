/** A server on 127.0.0.1 that answers as a test tells it to, and keeps what it was asked. For tests only. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect, type Scope } from "effect"

export interface Request {
  readonly method: string
  /** Behind "/api/", without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage["headers"]
  readonly body: string
  /** The body as JSON, or null. */
  readonly json: unknown
}

export type Reply =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly json?: unknown }
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly text: string }
  | ((response: ServerResponse) => void)

export interface ScriptedServer {
  readonly apiUrl: string
  readonly seen: ReadonlyArray<Request>
}

/** The end of a connection in the middle of a body. */
export const resetMidBody: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
  response.write('[{"uuid": "')
  setImmediate(() => response.destroy())
}

export const neverAnswer: Reply = () => {}

const write = (response: ServerResponse, reply: Reply): void => {
  if (typeof reply === "function") {
    reply(response)
    return
  }
  const body = "text" in reply ? reply.text : reply.json === undefined ? "" : JSON.stringify(reply.json)
  const type = "text" in reply ? "text/html" : "application/json"
  response.writeHead(reply.status ?? 200, { "content-type": type, ...reply.headers })
  response.end(body)
}

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

/** `answer` is called for each request in turn; `count` says how many of the same method and path came before it. */
export const scriptedServer = (
  answer: (request: Request, count: number) => Reply
): Effect.Effect<ScriptedServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: ReturnType<typeof createServer>; readonly scripted: ScriptedServer }>((resume) => {
      const seen: Array<Request> = []
      const server = createServer((incoming, response) => {
        const chunks: Array<Buffer> = []
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
        incoming.on("end", () => {
          const url = new URL(incoming.url ?? "/", "http://server")
          const body = Buffer.concat(chunks).toString("utf8")
          const request: Request = {
            method: incoming.method ?? "",
            path: url.pathname.replace(/^\/api\//, ""),
            query: url.searchParams,
            headers: incoming.headers,
            body,
            json: parsed(body)
          }
          const before = seen.filter(({ method, path }) => method === request.method && path === request.path).length
          seen.push(request)
          write(response, answer(request, before))
        })
      })
      // A test that stands still for longer than Node's own 5 s would write to a connection that is being closed.
      server.keepAliveTimeout = 75_000
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        resume(Effect.succeed({ server, scripted: { apiUrl: `http://127.0.0.1:${port}/api/`, seen } }))
      })
    }),
    ({ server }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map(({ scripted }) => scripted))
