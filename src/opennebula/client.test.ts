import { createServer, type IncomingMessage } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import xmlrpc from "xmlrpc"
import { documentAnswer, envelope, escape } from "../../test/support/openNebulaDecoding.js"
import { independentCall } from "../../test/support/openNebulaRecordings.js"
import {
  afterRequest,
  answer,
  askVersion,
  document,
  password,
  sendAnswer,
  settingsFor,
  version
} from "../../test/support/tinyFrontEnd.js"
import { serve, serveHttp, serveTcp } from "../../test/support/tinyServers.js"
import { type CallEvent, makeClient, withCallOwner } from "./client.js"

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

  it.scopedLive("that changes something is seen to its end, whoever goes meanwhile; a look is not", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const held: Array<() => void> = []
      const server = createServer(
        afterRequest((response) => {
          held.push(() => sendAnswer(response))
          if (held.length === 2) Deferred.unsafeDone(arrived, Effect.void)
        })
      )
      const outcomes: Array<string> = []
      const client = yield* makeClient(settingsFor(yield* serve(server)), {
        observe: ({ method, outcome }) => Effect.sync(() => outcomes.push(`${method} ${outcome}`))
      })
      const change = yield* Effect.fork(client.call("one.vm.action", ["terminate", 7], version))
      const look = yield* Effect.fork(client.call("one.vm.info", [7], version))
      yield* Deferred.await(arrived)
      const gone = yield* Effect.fork(Fiber.interrupt(change))
      yield* Fiber.interrupt(look)
      expect(outcomes).toEqual(["one.vm.info Interrupted"])
      expect(gone.unsafePoll()).toBeNull()
      for (const answerNow of held) answerNow()
      yield* Fiber.join(gone)
      expect(outcomes).toEqual(["one.vm.info Interrupted", "one.vm.action ok"])
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
      expect(error._tag).toBe("FrontEndNotReady")
      expect(error.message).toContain("<redacted>")
      expect(`${error.message} ${JSON.stringify(error)} ${error.stack}`).not.toContain(password)
    })
  )
})

describe("a large answer", () => {
  /** How many items there are; `work` is done for each. */
  const counting = (work: Effect.Effect<void>) => {
    let count = 0
    return {
      add: () =>
        Effect.map(work, () => {
          count += 1
        }),
      result: () => count
    }
  }

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
        items: ["VM"],
        gather: () => counting(Effect.void)
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
        items: ["VM"],
        gather: () => counting(Deferred.await(hungUp))
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
