import { createServer } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { makeWaldur } from "./index.js"
import { scriptedServer } from "./testing/scripted-server.js"

const user = { uuid: "0123456789abcdef0123456789abcdef", username: "agent" }
const credentials = { _tag: "Token", token: Redacted.make("some-token") } as const

/** A proxy that opens tunnels for whoever knows the password, and remembers where to. */
const proxy = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly tunnels: Array<string>; readonly close: () => void }>((resume) => {
    const tunnels: Array<string> = []
    const sockets = new Set<Socket>()
    const server = createServer()
    server.on("connect", (request, client: Socket) => {
      sockets.add(client)
      const known = `Basic ${Buffer.from("me:secret").toString("base64")}`
      if (request.headers["proxy-authorization"] !== known) {
        client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        return
      }
      tunnels.push(request.url ?? "")
      const [host = "", port = ""] = (request.url ?? "").split(":")
      const target = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n")
        target.pipe(client)
        client.pipe(target)
      })
      sockets.add(target)
      target.on("error", () => client.destroy())
      client.on("error", () => target.destroy())
    })
    server.listen(0, "127.0.0.1", () => {
      const address: AddressInfo | string | null = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const close = () => {
        for (const socket of sockets) socket.destroy()
        server.close()
      }
      resume(Effect.succeed({ port, tunnels, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("a proxy", () => {
  it.scopedLive("is gone through if one is configured", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(() => ({ json: user }))
      const { port, tunnels } = yield* proxy
      const waldur = yield* makeWaldur({
        apiUrl: server.apiUrl,
        credentials,
        proxy: Redacted.make(`http://me:secret@127.0.0.1:${port}`)
      })
      expect(yield* waldur.me).toMatchObject(user)
      expect(tunnels).toEqual([new URL(server.apiUrl).host])
    })
  )

  it.scopedLive("that refuses is unreachable, and its password is not told", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(() => ({ json: user }))
      const { port } = yield* proxy
      const waldur = yield* makeWaldur({
        apiUrl: server.apiUrl,
        credentials,
        proxy: Redacted.make(`http://me:wrong-password@127.0.0.1:${port}`)
      })
      const error = yield* Effect.flip(waldur.me)
      expect(error._tag).toBe("WaldurUnreachable")
      expect(JSON.stringify([error, error.message, error.stack])).not.toContain("wrong-password")
      expect(server.seen).toEqual([])
    })
  )
})
