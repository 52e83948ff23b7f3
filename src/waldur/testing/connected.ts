/** The Waldur service in front of a scripted server, with the answers that its tests share. */
import { Effect, Redacted } from "effect"
import { makeWaldur, type WaldurOptions } from "../index.js"
import { type Reply, type Request, scriptedServer } from "./scripted-server.js"

export const id = (n: number) => n.toString(16).padStart(32, "0")
export const order = id(1)
export const resource = id(2)
export const offering = id(3)

export const connect = (answer: (request: Request, count: number) => Reply, options: Partial<WaldurOptions> = {}) =>
  Effect.gen(function* () {
    const server = yield* scriptedServer(answer)
    const waldur = yield* makeWaldur({
      apiUrl: server.apiUrl,
      credentials: { _tag: "Token", token: Redacted.make("some-token") },
      ...options
    })
    /** The last word of each call's path: "set_state_done", or "read". */
    const calls = () =>
      server.seen.map(({ method, path }) => (method === "GET" ? "read" : (path.split("/").at(-2) ?? "")))
    return { server, waldur, calls }
  })

export const orderIn = (state: string, more: object = {}): Reply => ({
  json: { uuid: order, type: "Create", state, offering_uuid: offering, ...more }
})
export const conflict: Reply = { status: 409, json: { detail: "Valid states for operation: executing." } }
/** Waldur's own page, recording 071. */
export const unknownAddress: Reply = {
  status: 404,
  text: "<h1>Not Found</h1><p>The requested resource was not found on this server.</p>"
}
export const noSuch: Reply = { status: 404, json: { detail: "No Resource matches the given query." } }
