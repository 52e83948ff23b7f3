/**
 * A cloud that does not exist: it keeps buckets in memory and answers over HTTP, as yours does. It is here so that the plugin runs and is
 * tested at once. Throw it away when the plugin speaks to a real one, or keep it for the tests.
 */
import { createServer } from "node:http"

export interface Bucket {
  readonly id: string
  readonly name: string
  /** What the plugin wrote into it: the uuid of the resource that it belongs to. */
  readonly tag: string
  readonly quotaMegabytes: number
}

const token = "let-the-plugin-in"

export interface FakeCloud {
  readonly url: string
  readonly token: string
  readonly buckets: Map<string, Bucket>
  readonly close: () => Promise<void>
}

const answer = (
  buckets: Map<string, Bucket>,
  method: string,
  path: string,
  body: string
): { status: number; json: unknown } => {
  const id = path.split("/")[2] ?? ""
  const sent: Partial<Bucket> = body === "" ? {} : JSON.parse(body)
  const found = buckets.get(id)
  if (method === "GET" && id === "") return { status: 200, json: [...buckets.values()] }
  if (method === "POST") {
    if ([...buckets.values()].some(({ name }) => name === sent.name)) return { status: 409, json: "the name is taken" }
    const bucket = { id: crypto.randomUUID(), name: "", tag: "", quotaMegabytes: 0, ...sent }
    buckets.set(bucket.id, bucket)
    return { status: 201, json: bucket }
  }
  if (found === undefined) return { status: 404, json: "no such bucket" }
  if (method === "PATCH") buckets.set(id, { ...found, ...sent })
  if (method === "DELETE") buckets.delete(id)
  return { status: 200, json: buckets.get(id) ?? found }
}

export const startFakeCloud = (): Promise<FakeCloud> =>
  new Promise((resolve) => {
    const buckets = new Map<string, Bucket>()
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => {
        body += String(chunk)
      })
      request.on("end", () => {
        const known = request.headers.authorization === `Bearer ${token}`
        const { status, json } = known
          ? answer(buckets, request.method ?? "GET", request.url ?? "/", body)
          : { status: 401, json: "who are you?" }
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json))
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed())
          server.closeAllConnections()
        })
      resolve({ url: `http://127.0.0.1:${port}`, token, buckets, close })
    })
  })
