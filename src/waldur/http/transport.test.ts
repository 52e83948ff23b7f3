import { createServer, request } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { certificateFile, makeHttps, serve, serveTcp } from "../../../test/support/tinyServers.js"
import { makeWaldur } from "../index.js"
import { scriptedServer } from "../testing/scripted-server.js"

const user = { uuid: "0123456789abcdef0123456789abcdef", username: "agent" }
const credentials = { _tag: "Token", token: Redacted.make("some-token") } as const

/** A proxy that passes requests on for whoever knows the password, and remembers where to. Plain HTTP comes to it as an ordinary request. */
const proxy = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly passedOn: Array<string>; readonly close: () => void }>((resume) => {
    const passedOn: Array<string> = []
    const server = createServer((asked, answer) => {
      const known = `Basic ${Buffer.from("me:secret").toString("base64")}`
      if (asked.headers["proxy-authorization"] !== known) {
        answer.writeHead(407).end()
        return
      }
      const url = new URL(asked.url ?? "")
      passedOn.push(url.host)
      const { "proxy-authorization": _, ...headers } = asked.headers
      asked.pipe(
        request(url, { method: asked.method, headers }, (found) => {
          answer.writeHead(found.statusCode ?? 502, found.headers)
          found.pipe(answer)
        })
      )
    })
    server.listen(0, "127.0.0.1", () => {
      const address: AddressInfo | string | null = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const close = () => {
        server.closeAllConnections()
        server.close()
      }
      resume(Effect.succeed({ port, passedOn, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("a proxy", () => {
  it.scopedLive("is gone through if one is configured", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(() => ({ json: user }))
      const { passedOn, port } = yield* proxy
      const waldur = yield* makeWaldur({
        apiUrl: server.apiUrl,
        credentials,
        proxy: Redacted.make(`http://me:secret@127.0.0.1:${port}`)
      })
      expect(yield* waldur.me).toMatchObject(user)
      expect(passedOn).toEqual([new URL(server.apiUrl).host])
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

  const reasonThrough = (apiUrl: string, proxyUrl: string, caFile = certificateFile) =>
    Effect.flatMap(
      makeWaldur({ apiUrl, credentials, proxy: Redacted.make(proxyUrl), tls: { caFile }, timeout: "5 seconds" }),
      (waldur) => Effect.flip(waldur.me)
    ).pipe(Effect.map((error) => (error._tag === "WaldurUnreachable" ? error.reason : error._tag)))

  it.scopedLive("that is reached over TLS and hangs up at once is unreachable at once, whatever lies behind", () =>
    Effect.gen(function* () {
      for (const hangUp of [
        (socket: Socket) => void socket.destroy(),
        // Within the handshake, or with the request in hand.
        (socket: Socket) => void socket.once("data", () => socket.end())
      ]) {
        const port = yield* serveTcp(hangUp)
        for (const apiUrl of ["http://waldur.example/api/", "https://waldur.example/api/"]) {
          for (const scheme of ["https", "http"]) {
            const reason = yield* reasonThrough(apiUrl, `${scheme}://127.0.0.1:${port}`)
            expect(reason, `${apiUrl} through ${scheme}`).toMatch(/^(ECONNRESET|UND_ERR_SOCKET)$/)
          }
        }
      }
    })
  )

  it.scopedLive(
    "that wants a user and a password is named as the one who refuses, for plain HTTP and for tunnels",
    () =>
      Effect.gen(function* () {
        const { port } = yield* proxy
        const refusing = makeHttps((_, answer) => void answer.writeHead(407).end())
        refusing.on("connect", (_, socket: Duplex) => socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
        const secure = `https://127.0.0.1:${yield* serve(refusing)}`
        const refuses = "the proxy refuses: HTTP status 407; it wants a user and a password, or others"
        expect(yield* reasonThrough("http://waldur.example/api/", `http://127.0.0.1:${port}`)).toBe(refuses)
        expect(yield* reasonThrough("http://waldur.example/api/", secure)).toBe(refuses)
        expect(yield* reasonThrough("https://waldur.example/api/", secure)).toBe(refuses)
      })
  )
})
