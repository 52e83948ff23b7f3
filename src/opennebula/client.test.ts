import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { connect } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted } from "effect"
import xmlrpc from "xmlrpc"
import { documentAnswer, envelope, escape } from "../../test/support/openNebulaDecoding.js"
import { independentCall } from "../../test/support/openNebulaRecordings.js"
import { certificateFile, makeHttps, readBody, serve, serveHttp, serveTcp } from "../../test/support/tinyServers.js"
import { type CallEvent, CallOwner, makeClient, type OpenNebulaSettings, withCallOwner } from "./client.js"
import type { Answer, XmlElement } from "./wire/answer.js"

const password = "correct horse"
const credentials = Redacted.make(`oneadmin:${password}`)
const settingsFor = (port: number, more: Partial<OpenNebulaSettings> = {}): OpenNebulaSettings => ({
  apiUrl: `http://127.0.0.1:${port}/RPC2`,
  credentials,
  timeout: "10 seconds",
  ...more
})

const version: Answer<string> = { _tag: "Text", decode: Effect.succeed }
const document: Answer<XmlElement> = { _tag: "Document", decode: Effect.succeed }

/** Asks a front-end at `port` for its version. */
const askVersion = (port: number, more: Partial<OpenNebulaSettings> = {}) =>
  Effect.flatMap(makeClient(settingsFor(port, more)), (client) => client.call("one.system.version", [], version))

const answer = envelope("<string>7.4.0</string>")
const sendAnswer = (response: ServerResponse, bytes: Buffer = answer) =>
  response.writeHead(200, { "content-length": bytes.length, connection: "close" }).end(bytes)

/** Reads the request, then does `respond`. */
const afterRequest =
  (respond: (response: ServerResponse, body: Buffer, request: IncomingMessage) => void) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    readBody(request).then(
      (body) => respond(response, body, request),
      () => response.destroy()
    )
  }

describe("a call", () => {
  it.scopedLive("is one POST with its length, the session first, on a connection of its own", () =>
    Effect.gen(function* () {
      const seen: Array<{ headers: IncomingMessage["headers"]; url: string | undefined; body: Buffer }> = []
      let connections = 0
      const server = createServer(
        afterRequest((response, body, request) => {
          seen.push({ headers: request.headers, url: request.url, body })
          sendAnswer(response)
        })
      ).on("connection", () => (connections += 1))
      const client = yield* makeClient(settingsFor(yield* serve(server)))
      for (let calls = 0; calls < 3; calls++) expect(yield* client.call("one.vm.info", [7], version)).toBe("7.4.0")
      expect(connections).toBe(3)
      const [first] = seen
      expect(first?.headers["content-length"]).toBe(String(first?.body.length))
      expect(first?.headers["transfer-encoding"]).toBeUndefined()
      expect(first?.url).toBe("/RPC2")
      const sent = yield* Effect.promise(() => independentCall(first?.body ?? Buffer.alloc(0)))
      expect(sent).toEqual({ method: "one.vm.info", params: [`oneadmin:${password}`, 7] })
    })
  )

  it.scopedLive("and its answer are understood by an independent XML-RPC server", () =>
    Effect.gen(function* () {
      const port = yield* Effect.acquireRelease(
        Effect.async<{ port: number; close: () => void }>((resume) => {
          const server = xmlrpc.createServer({ host: "127.0.0.1", port: 0 }, () => {
            const address = server.httpServer.address()
            const found = typeof address === "object" && address !== null ? address.port : 0
            resume(Effect.succeed({ port: found, close: () => server.httpServer.close() }))
          })
          server.on("one.echo", (_error, [session, ...params], reply) =>
            reply(null, [true, `<ECHO><SESSION>${session}</SESSION>${escape(JSON.stringify(params))}</ECHO>`, 0])
          )
          server.on("one.refuse", (_error, _params, reply) => reply(null, [false, "[one.refuse] Not now", 0x0800, 12]))
        }),
        ({ close }) => Effect.sync(close)
      )
      const client = yield* makeClient(settingsFor(port.port))
      const params = ['A="<1> & ]]> 2"\r\n漢😀', -5, true, [1, 2, 3]]
      const root = yield* client.call("one.echo", params, document)
      expect(root.children[0]?.text).toBe(`oneadmin:${password}`)
      expect(JSON.parse(root.text)).toEqual(params)
      expect(yield* Effect.flip(client.call("one.refuse", [], version))).toMatchObject({
        _tag: "ActionRefused",
        objectId: 12,
        serverMessage: "Not now"
      })
    })
  )

  it.scopedLive("is told to the observer with its owner, object, size and outcome", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(afterRequest((response) => sendAnswer(response)))
      const events: Array<CallEvent> = []
      const client = yield* makeClient(settingsFor(port), {
        // Also when it breaks down itself.
        observe: (event) =>
          Effect.zipRight(
            Effect.sync(() => events.push(event)),
            Effect.die("observer")
          )
      })
      yield* client.call("one.vm.info", [7], version).pipe(withCallOwner("resource 1"))
      yield* Effect.exit(client.call("one.vmpool.info", [-2, -1, -1, -1], document))
      yield* Effect.exit(client.call("one.vm.info", [8], { _tag: "Text", decode: () => Effect.die("bug") }))
      expect(events).toMatchObject([
        {
          method: "one.vm.info",
          ids: [7],
          outcome: "ok",
          owner: "resource 1",
          bytes: answer.length,
          endpoint: client.endpoint
        },
        { method: "one.vmpool.info", ids: [], outcome: "MalformedAnswer", owner: "" },
        { method: "one.vm.info", ids: [8], outcome: "Defect" }
      ])
      expect(yield* Effect.locally(Effect.succeed(1), CallOwner, "x")).toBe(1)
    })
  )

  it.scopedLive("never shows the session, also when the front-end says it", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(
        afterRequest((response, body) => {
          const said = body.toString("utf8").replaceAll("&", "&amp;").replaceAll("<", "&lt;")
          sendAnswer(
            response,
            Buffer.from(
              envelope("<string/>")
                .toString("utf8")
                .replace("<boolean>1", "<boolean>0")
                .replace("<string/>", `<string>Cannot parse ${said}</string>`)
                .replace("<i4>0</i4>", "<i4>8192</i4><!-- -->")
            )
          )
        })
      )
      const error = yield* Effect.flip(askVersion(port))
      expect(error._tag).toBe("InternalRefusal")
      expect(error.message).toContain("<redacted>")
      expect(`${error.message} ${JSON.stringify(error)} ${error.stack}`).not.toContain(password)
    })
  )
})

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

  it.scopedLive("a front-end that takes too long: timed out, and the connection is given up", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const port = yield* serveTcp((socket) => {
        socket.resume().on("close", () => Deferred.unsafeDone(closed, Effect.void))
      })
      const error = yield* Effect.flip(askVersion(port, { timeout: "200 millis" }))
      expect(error).toMatchObject({ _tag: "TimedOut", outcome: "unknown", seconds: 0.2, disposition: "retry" })
      yield* Deferred.await(closed)
    })
  )

  it.scopedLive("an answer that trickles on for ever: timed out as well", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(
        afterRequest((response) => {
          response.writeHead(200).write(answer.subarray(0, 100))
          const timer = setInterval(() => response.write(" "), 20)
          response.on("close", () => clearInterval(timer))
        })
      )
      expect((yield* Effect.flip(askVersion(port, { timeout: "300 millis" })))._tag).toBe("TimedOut")
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

describe("a large answer", () => {
  it.scopedLive("is decoded while it arrives, and leaves timers and sockets their turn", () =>
    Effect.gen(function* () {
      const items = `<VM><ID>1</ID><NAME>${"n".repeat(2000)}</NAME></VM>`.repeat(5000)
      const bytes = documentAnswer(`<VM_POOL>${items}</VM_POOL>`)
      const port = yield* serveHttp(afterRequest((response) => sendAnswer(response, bytes)))
      const client = yield* makeClient(settingsFor(port))
      let turns = 0
      const timer = setInterval(() => (turns += 1), 1)
      const read = yield* client.call("one.vmpool.info", [-2, -1, -1, -1], {
        _tag: "Pool",
        item: "VM",
        decodeItem: (item) => Effect.succeed(item.children.length),
        collect: (counts) => counts.length
      })
      clearInterval(timer)
      expect(read).toBe(5000)
      expect(turns).toBeGreaterThan(10)
    })
  )

  const pool = documentAnswer(`<VM_POOL>${`<VM><NAME>${"n".repeat(500)}</NAME></VM>`.repeat(2000)}</VM_POOL>`)
  const megabyte = documentAnswer(`<VM>${"x".repeat(1_000_000)}</VM>`)

  it.scopedLive("is read to its end although the front-end hangs up long before we get there", () =>
    Effect.gen(function* () {
      const hungUp = yield* Deferred.make<void>()
      const port = yield* serveTcp((socket) => {
        socket.on("close", () => Deferred.unsafeDone(hungUp, Effect.void))
        socket.once("data", () => {
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${pool.length}\r\nConnection: close\r\n\r\n`)
          socket.end(pool)
        })
      })
      const client = yield* makeClient(settingsFor(port))
      const read = yield* client.call("one.vmpool.info", [-2, -1, -1, -1], {
        _tag: "Pool",
        item: "VM",
        decodeItem: () => Deferred.await(hungUp),
        collect: (items) => items.length
      })
      expect(read).toBe(2000)
    })
  )
  it.scopedLive("beyond the limit is neither read nor kept", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const port = yield* serveHttp(
        afterRequest((response) => {
          response.on("close", () => Deferred.unsafeDone(closed, Effect.void))
          const more = () => {
            while (!response.destroyed && response.write(megabyte));
          }
          response.on("drain", more).writeHead(200)
          more()
        })
      )
      const client = yield* makeClient(settingsFor(port, { maxAnswerBytes: 500_000 }))
      expect(yield* Effect.flip(client.call("one.vm.info", [1], document))).toMatchObject({
        _tag: "AnswerTooLarge",
        limitBytes: 500_000,
        disposition: "stop-offering"
      })
      yield* Deferred.await(closed)
    })
  )
})
