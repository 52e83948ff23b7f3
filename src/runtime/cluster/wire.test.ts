import { randomBytes } from "node:crypto"
import { createConnection, type Socket } from "node:net"
import * as SocketServer from "@effect/platform/SocketServer"
import { describe, expect, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Fiber, Layer, Option, Redacted, Scope } from "effect"
import { serveTcp } from "../../../test/support/tinyServers.js"
import { reached, socketServer } from "./wire.js"

const key = Redacted.make(randomBytes(32))
const at = (port: number, listen = "127.0.0.1") => ({ host: "127.0.0.1", port, listen, takeover: Duration.seconds(10) })

/** Its port. */
const listening = Effect.map(Layer.build(socketServer(at(0), key)), (built) => {
  const { address } = Context.get(built, SocketServer.SocketServer)
  return address._tag === "TcpAddress" ? address.port : 0
})

const opened = <A, E>(server: Layer.Layer<A, E>) => Effect.scoped(Effect.asVoid(Layer.build(server)))

/** Somebody who connects, and says nothing. */
const silent = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Socket>((resume) => {
      const socket = createConnection({ host: "127.0.0.1", port }, () => resume(Effect.succeed(socket)))
      socket.on("error", () => undefined).resume()
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

describe("between processes", () => {
  it.scopedLive("whoever has the key is let in, and nobody else", () =>
    Effect.gen(function* () {
      const port = yield* listening
      yield* reached("127.0.0.1", port, key)
      const stranger = yield* Effect.flip(reached("127.0.0.1", port, Redacted.make(randomBytes(32))))
      expect(stranger._tag).toBe("ClusterUnusable")
    })
  )

  it.scopedLive("what does not speak TLS is hung up on", () =>
    Effect.gen(function* () {
      const port = yield* listening
      const answer = yield* Effect.async<string>((resume) => {
        const socket = createConnection({ host: "127.0.0.1", port }, () => socket.write("GET / HTTP/1.1\r\n\r\n"))
        let text = ""
        socket.on("data", (bytes) => (text += bytes.toString("latin1")))
        socket.on("error", () => undefined)
        socket.on("close", () => resume(Effect.succeed(text)))
      })
      expect(answer).not.toMatch(/HTTP|PSK/)
    })
  )

  // Node itself would hang up on it after two minutes.
  it.scopedLive("who says nothing is hung up on after 5 s", () =>
    Effect.gen(function* () {
      const socket = yield* silent(yield* listening)
      const closed = Effect.async<boolean>((resume) => void socket.once("close", () => resume(Effect.succeed(true))))
      expect(yield* Effect.timeoutOption(closed, "1 minute")).toEqual(Option.some(true))
    })
  )

  it.scopedLive("who takes a connection and says nothing is given up after 3 s", () =>
    Effect.gen(function* () {
      const port = yield* serveTcp((socket) => socket.on("error", () => undefined).resume())
      const reaching = yield* Effect.fork(Effect.flip(reached("127.0.0.1", port, key)))
      const error = yield* Effect.timeout(Fiber.join(reaching), "1 minute")
      expect(error.message).toContain("no answer within 3 s")
    })
  )

  it.scopedLive("nobody without the key keeps a process from ending", () =>
    Effect.gen(function* () {
      const ended = Effect.gen(function* () {
        const ending = yield* Scope.make()
        yield* silent(yield* Scope.extend(listening, ending))
        return Option.isSome(yield* Effect.timeoutOption(Scope.close(ending, Exit.void), "2 seconds"))
      })
      // Whoever says nothing would keep each of them for 5 s; a machine that stands still keeps one.
      expect(yield* Effect.repeat(ended, { until: (is) => is, times: 4 })).toBe(true)
    })
  )

  it.scopedLive.each([
    ["a port that is taken", (port: number) => opened(socketServer(at(port), key)), "its own cluster.port"],
    ["an address of another machine", () => opened(socketServer(at(0, "192.0.2.1"), key)), "cluster.listen"],
    ["nobody there", () => reached("127.0.0.1", 1, key), "cluster.host"]
  ] as const)("says what is wrong and what to do: %s", ([, open, hint]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(yield* listening))
      expect(error.message).toContain("cannot be met at")
      expect(error.message).toContain(hint)
    })
  )
})
