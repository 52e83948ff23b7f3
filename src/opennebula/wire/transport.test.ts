import { createServer } from "node:http"
import { connect, type Socket } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Queue, Redacted } from "effect"
import { passTimeOuts } from "../../../test/support/clock.js"
import {
  afterRequest,
  answer,
  askVersion,
  sendAnswer,
  settingsFor,
  version
} from "../../../test/support/tinyFrontEnd.js"
import { certificateFile, makeHttps, serve, serveHttp, serveTcp } from "../../../test/support/tinyServers.js"
import { sendingGate } from "../../core/calls/gate.js"
import { makeClient } from "../client.js"

describe("when there is no answer", () => {
  it.scopedLive("a refused connection: the call was not sent", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(serveHttp(() => {}))
      expect(yield* Effect.flip(askVersion(port))).toMatchObject({
        _tag: "Unreachable",
        outcome: "not-sent",
        disposition: "retry",
        reason: expect.stringContaining("ECONNREFUSED")
      })
    })
  )

  it.scopedLive("a name that does not exist: the call was not sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(askVersion(1, { apiUrl: "http://front-end.invalid/RPC2" }))
      expect(error).toMatchObject({ _tag: "Unreachable", outcome: "not-sent" })
    })
  )

  it.scopedLive("a reset after the request: it may have been carried out", () =>
    Effect.gen(function* () {
      const port = yield* serveTcp((socket) => socket.once("data", () => socket.resetAndDestroy()))
      expect(yield* Effect.flip(askVersion(port))).toMatchObject({ _tag: "Unreachable", outcome: "unknown" })
    })
  )

  it.scopedLive("an answer that is shorter than announced: it may have been carried out", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(
        afterRequest((response) => {
          response.writeHead(200, { "content-length": answer.length + 100 })
          response.write(answer, () => response.destroy())
        })
      )
      expect(yield* Effect.flip(askVersion(port))).toMatchObject({ _tag: "Unreachable", outcome: "unknown" })
    })
  )

  it.scopedLive("a switch of protocols, which nobody asked for: it may have been carried out", () =>
    Effect.gen(function* () {
      const port = yield* serveTcp((socket) => {
        socket.once("data", () => {
          socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        })
      })
      expect(yield* Effect.flip(askVersion(port))).toMatchObject({ _tag: "Unreachable", outcome: "unknown" })
    })
  )

  it.scopedLive("an answer of no announced length that breaks off is malformed", () =>
    Effect.gen(function* () {
      const port = yield* serveTcp((socket) => {
        socket.once("data", () => {
          socket.end(
            Buffer.concat([Buffer.from("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), answer.subarray(0, 150)])
          )
        })
      })
      expect(yield* Effect.flip(askVersion(port))).toMatchObject({ _tag: "MalformedAnswer", disposition: "retry" })
    })
  )

  it.scopedLive.each<readonly [string, string, string]>([
    ["a 100 before it", "HTTP/1.1 100 Continue\r\n\r\n", ""],
    ["early hints before it", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", ""],
    ["another one after it", "", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"],
    ["garbage after it", "", "\0\0\0"]
  ])("an answer with %s is an answer, and no call has its connection after it", ([, before, after]) =>
    Effect.gen(function* () {
      const requests: Array<number> = []
      const port = yield* serveTcp((socket) => {
        const connection = requests.push(0) - 1
        let asked = ""
        socket.on("error", () => undefined)
        socket.on("data", (bytes) => {
          asked += bytes.toString("latin1")
          if (!asked.includes("</methodCall>")) return
          asked = ""
          requests[connection] = (requests[connection] ?? 0) + 1
          const head = `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: ${answer.length}\r\n\r\n`
          socket.write(Buffer.concat([Buffer.from(before + head), answer, Buffer.from(after)]))
        })
      })
      const client = yield* makeClient(settingsFor(port))
      for (const _ of [1, 2, 3]) expect(yield* client.call("one.system.version", [], version)).toBe("7.4.0")
      expect(requests).toEqual([1, 1, 1])
    })
  )

  it.scoped("a front-end that takes too long: timed out, and the connection is given up", () =>
    Effect.gen(function* () {
      const arrived = yield* Queue.unbounded<void>()
      const closed = yield* Deferred.make<void>()
      const port = yield* serveTcp((socket) => {
        socket.once("data", () => Queue.unsafeOffer(arrived, undefined))
        socket.on("close", () => Deferred.unsafeDone(closed, Effect.void))
      })
      yield* passTimeOuts(arrived, "7 seconds")
      const error = yield* Effect.flip(askVersion(port, { timeout: "7 seconds" }))
      expect(error).toMatchObject({ _tag: "TimedOut", outcome: "unknown", seconds: 7, disposition: "retry" })
      yield* Deferred.await(closed)
    })
  )

  it.scoped("an answer that trickles on for ever: timed out as well", () =>
    Effect.gen(function* () {
      const arrived = yield* Queue.unbounded<void>()
      const port = yield* serveHttp(
        afterRequest((response) => {
          response.writeHead(200).write(answer.subarray(0, 100))
          const timer = setInterval(() => response.write(" "), 20)
          response.on("close", () => clearInterval(timer))
          Queue.unsafeOffer(arrived, undefined)
        })
      )
      yield* passTimeOuts(arrived, "7 seconds")
      expect((yield* Effect.flip(askVersion(port, { timeout: "7 seconds" })))._tag).toBe("TimedOut")
    })
  )

  it.scopedLive("an interrupted call gives up its connection and its place", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      let calls = 0
      const port = yield* serveHttp(
        afterRequest((response) => {
          calls += 1
          if (calls > 1) return sendAnswer(response)
          response.on("close", () => Deferred.unsafeDone(closed, Effect.void))
          return Deferred.unsafeDone(arrived, Effect.void)
        })
      )
      const client = yield* makeClient(settingsFor(port, { maxConcurrent: 1 }))
      const ask = client.call("one.system.version", [], version)
      const first = yield* Effect.fork(ask)
      yield* Deferred.await(arrived)
      const second = yield* Effect.fork(ask)
      yield* Fiber.interrupt(first)
      yield* Deferred.await(closed)
      expect(yield* Fiber.join(second)).toBe("7.4.0")
    })
  )
})

describe("an HTTP status", () => {
  const statuses = [
    [500, "HttpFailure", "retry"],
    [502, "HttpFailure", "retry"],
    [429, "HttpFailure", "retry"],
    [401, "HttpFailure", "stop-offering"],
    [411, "HttpFailure", "stop-offering"],
    [404, "WrongEndpoint", "stop-offering"],
    [405, "WrongEndpoint", "stop-offering"],
    [301, "WrongEndpoint", "stop-offering"],
    [307, "WrongEndpoint", "stop-offering"]
  ] as const
  it.scopedLive.each(statuses)("%i is %s: %s", ([status, tag, disposition]) =>
    Effect.gen(function* () {
      let calls = 0
      const port = yield* serveHttp(
        afterRequest((response) => {
          calls += 1
          response.writeHead(status, { location: "/elsewhere" }).end("<html/>")
        })
      )
      expect(yield* Effect.flip(askVersion(port))).toMatchObject({ _tag: tag, status, disposition })
      expect(calls).toBe(1)
    })
  )
})

describe("over TLS", () => {
  const secure = Effect.suspend(() => serve(makeHttps(afterRequest((response) => sendAnswer(response)))))
  const url = (port: number) => `https://127.0.0.1:${port}/RPC2`

  it.scopedLive("a certificate that nobody vouches for is refused before anything is sent", () =>
    Effect.gen(function* () {
      const port = yield* secure
      expect(yield* Effect.flip(askVersion(port, { apiUrl: url(port) }))).toMatchObject({
        _tag: "Unreachable",
        outcome: "not-sent",
        reason: expect.stringContaining("self-signed")
      })
    })
  )

  it.scopedLive("is trusted through the certificate file, or when told not to verify", () =>
    Effect.gen(function* () {
      const port = yield* secure
      expect(yield* askVersion(port, { apiUrl: url(port), caFile: certificateFile })).toBe("7.4.0")
      expect(yield* askVersion(port, { apiUrl: url(port), verifySsl: false })).toBe("7.4.0")
    })
  )

  it.scopedLive("a server that speaks no TLS: the call was not sent", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(afterRequest((response) => sendAnswer(response)))
      const error = yield* Effect.flip(askVersion(port, { apiUrl: url(port) }))
      expect(error).toMatchObject({ _tag: "Unreachable", outcome: "not-sent" })
    })
  )
})

describe("through a proxy", () => {
  const proxyTo = (port: number) => Redacted.make(`http://user:secret@127.0.0.1:${port}`)
  const proxyAuthorization = `Basic ${Buffer.from("user:secret").toString("base64")}`

  it.scopedLive("plain HTTP is asked for by its whole URL", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const port = yield* serveHttp(
        afterRequest((response, _body, request) => {
          seen.push(request.url, request.headers["proxy-authorization"])
          sendAnswer(response)
        })
      )
      const apiUrl = "http://front-end.invalid:2633/RPC2"
      expect(yield* askVersion(0, { apiUrl, proxy: proxyTo(port) })).toBe("7.4.0")
      expect(seen).toEqual([apiUrl, proxyAuthorization])
    })
  )

  it.scopedLive("HTTPS goes through a tunnel, with the front-end's own certificate checked", () =>
    Effect.gen(function* () {
      const target = yield* serve(makeHttps(afterRequest((response) => sendAnswer(response))))
      const asked: Array<unknown> = []
      const proxy = createServer().on("connect", (request, client) => {
        asked.push(request.url, request.headers["proxy-authorization"])
        const upstream = connect(target, "127.0.0.1", () => {
          client.write("HTTP/1.1 200 OK\r\n\r\n")
          client.pipe(upstream).pipe(client)
        })
        client.on("error", () => upstream.destroy())
        upstream.on("error", () => client.destroy())
      })
      const port = yield* serve(proxy)
      const apiUrl = `https://127.0.0.1:${target}/RPC2`
      expect(yield* askVersion(0, { apiUrl, proxy: proxyTo(port), caFile: certificateFile })).toBe("7.4.0")
      expect(asked).toEqual([`127.0.0.1:${target}`, proxyAuthorization])
      expect(yield* Effect.flip(askVersion(0, { apiUrl, proxy: proxyTo(port) }))).toMatchObject({ outcome: "not-sent" })
    })
  )

  it.scopedLive("that answers itself, or is away, is named as what may be to blame", () =>
    Effect.gen(function* () {
      let status = 407
      const port = yield* serveHttp(
        afterRequest((response) => void response.writeHead(status).end("<html>squid</html>"))
      )
      const apiUrl = "http://front-end.invalid:2633/RPC2"
      const messageThrough = (proxy: number) =>
        Effect.map(Effect.flip(askVersion(0, { apiUrl, proxy: proxyTo(proxy) })), ({ message }) => message)
      expect(yield* messageThrough(port)).toMatch(
        /HTTP status 407: the proxy wants a user and a password.*backend_settings/
      )
      status = 502
      expect(yield* messageThrough(port)).toMatch(
        /HTTP status 502, the proxy's or.*Check proxy in backend_settings too\.$/
      )
      expect(yield* messageThrough(1)).toMatch(
        /through the proxy.*ECONNREFUSED.*Check proxy in backend_settings too\.$/
      )
    })
  )

  it.scopedLive("that refuses the tunnel: the call was not sent", () =>
    Effect.gen(function* () {
      const port = yield* serve(
        createServer().on("connect", (_, socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n"))
      )
      const error = yield* Effect.flip(
        askVersion(0, { apiUrl: "https://front-end.invalid/RPC2", proxy: proxyTo(port) })
      )
      expect(error).toMatchObject({ _tag: "Unreachable", outcome: "not-sent" })
      expect(error.message).not.toContain("secret")
    })
  )
})

describe("a call whose gate stands before its connection's first byte too", () => {
  const changed = (port: number) =>
    Effect.flatMap(makeClient(settingsFor(port)), (client) => client.call("one.vm.action", ["resume", 7], version))

  it.scopedLive("is written when that lets it pass, and not before", () =>
    Effect.gen(function* () {
      const connected = yield* Deferred.make<void>()
      const open = yield* Effect.makeLatch(false)
      let bodies = 0
      const server = createServer(
        afterRequest((response) => {
          bodies += 1
          sendAnswer(response)
        })
      )
      server.on("connection", () => Deferred.unsafeDone(connected, Effect.void))
      const port = yield* serve(server)
      const call = yield* Effect.fork(Effect.locally(changed(port), sendingGate, open.await))
      yield* Deferred.await(connected)
      yield* Effect.sleep("20 millis")
      expect(bodies).toBe(0)
      yield* open.open
      expect(yield* Fiber.join(call)).toBe("7.4.0")
      expect(bodies).toBe(1)
    })
  )

  it.scopedLive("is not written when its resource is lost meanwhile, nor when the connection breaks", () =>
    Effect.gen(function* () {
      const sockets = yield* Queue.unbounded<Socket>()
      let bytes = 0
      const port = yield* serveTcp((socket) => {
        socket.on("data", (chunk) => {
          bytes += chunk.length
        })
        sockets.unsafeOffer(socket)
      })
      const lost = yield* Effect.exit(Effect.locally(changed(port), sendingGate, Effect.interrupt))
      expect(Exit.isInterrupted(lost)).toBe(true)
      const first = yield* Queue.take(sockets)
      if (!first.closed)
        yield* Effect.async<void>((resume) => {
          first.once("close", () => resume(Effect.void))
        })
      const open = yield* Effect.makeLatch(false)
      const broken = yield* Effect.fork(Effect.flip(Effect.locally(changed(port), sendingGate, open.await)))
      const second = yield* Queue.take(sockets)
      second.resetAndDestroy()
      yield* Effect.sleep("20 millis")
      yield* open.open
      expect(yield* Fiber.join(broken)).toMatchObject({ _tag: "Unreachable", outcome: "not-sent" })
      expect(bytes).toBe(0)
    })
  )

  it.scopedLive("that only looks is written at once", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(afterRequest((response) => sendAnswer(response)))
      expect(yield* Effect.locally(askVersion(port), sendingGate, Effect.never)).toBe("7.4.0")
    })
  )
})
