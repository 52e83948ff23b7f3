import { type IncomingMessage, request } from "node:http"
import { request as secureRequest } from "node:https"
import { createServer, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { afterEach, vi } from "vitest"
import { serve, serveTcp } from "../../test/support/tinyServers.js"
import { TunnelAgent } from "./tunnel.js"

/** Asks for something behind the proxy, and gives what the request failed of. */
const failureThrough = (proxy: string, secure = true) =>
  Effect.async<Error>((resume) => {
    const agent = new TunnelAgent(new URL(proxy), { rejectUnauthorized: false }, secure)
    const start = secure ? secureRequest : request
    const asked = start({ host: "front-end.invalid", path: "/RPC2", agent }, (_: IncomingMessage) => asked.destroy())
    asked.on("error", (error) => resume(Effect.succeed(error)))
    asked.end()
    return Effect.sync(() => asked.destroy())
  })

describe("a proxy", () => {
  afterEach(() => vi.useRealTimers())

  it.scopedLive("over TLS that goes away in the handshake fails the call, and not the process", () =>
    Effect.gen(function* () {
      const port = yield* serveTcp((socket) => socket.once("data", () => socket.end()))
      for (const secure of [true, false]) {
        expect(yield* failureThrough(`https://user:secret@127.0.0.1:${port}`, secure)).toMatchObject({
          code: "ECONNRESET",
          message: expect.not.stringContaining("secret")
        })
      }
      // An error without a listener would have been thrown by now.
      yield* Effect.promise(() => new Promise((done) => setImmediate(done)))
    })
  )

  it.scopedLive("that keeps silent is let go of after ten seconds, and the call fails", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const port = yield* serve(
        createServer((socket: Socket) => {
          socket.once("data", () => Deferred.unsafeDone(asked, Effect.void))
          socket.on("close", () => Deferred.unsafeDone(closed, Effect.void))
        })
      )
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
      const call = yield* Effect.fork(failureThrough(`http://127.0.0.1:${port}`))
      yield* Deferred.await(asked)
      vi.advanceTimersByTime(10_000)
      yield* Deferred.await(closed)
      expect((yield* call).message).toBe("ETIMEDOUT no tunnel within 10 s")
    })
  )

  it.scopedLive("is told where to, at an IPv6 address in brackets, and who asks", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const port = yield* serveTcp((socket) =>
        socket.once("data", (bytes: Buffer) => {
          seen.push(bytes.toString("latin1"))
          socket.end("HTTP/1.1 407 Who are you\r\n\r\n")
        })
      )
      const agent = new TunnelAgent(
        new URL(`http://us%3Aer:100%25@127.0.0.1:${port}`),
        { rejectUnauthorized: true },
        true
      )
      const error = yield* Effect.async<Error>((resume) => {
        secureRequest({ host: "::1", port: 2633, agent })
          .on("error", (failure) => resume(Effect.succeed(failure)))
          .end()
      })
      expect(error.message).toBe("the proxy refuses: HTTP status 407; it wants a user and a password, or others")
      expect(seen[0]).toMatch(/^CONNECT \[::1\]:2633 HTTP\/1.1\r\nhost: \[::1\]:2633\r\n/)
      expect(seen[0]).toContain(`proxy-authorization: Basic ${Buffer.from("us:er:100%").toString("base64")}`)
    })
  )
})
