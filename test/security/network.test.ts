/** A network attacker, and servers that were taken over: what they may send, and where they may send us. */
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Option, Queue } from "effect"
import { makeClient } from "../../src/opennebula/client.js"
import { makeReads } from "../../src/waldur/calls/reads.js"
import type { Answer as WaldurAnswer } from "../../src/waldur/http/answer.js"
import { passTimeOuts } from "../support/clock.js"
import { documentAnswer, envelope } from "../support/openNebulaDecoding.js"
import { afterRequest, document, password, sendAnswer, settingsFor, version } from "../support/tinyFrontEnd.js"
import { certificateFile, makeHttps, serve, serveHttp } from "../support/tinyServers.js"
import { allCalls, clientSecret, id, misleadingProxy, originOf, token, waldurAt, waldurWithOidc } from "./servers.js"

const kinds = allCalls("http://127.0.0.1:1").map(([kind]) => kind)
/** The call of that kind. */
const callOf = (kind: string, ...where: Parameters<typeof allCalls>) => {
  const found = allCalls(...where).find(([name]) => name === kind)
  return found === undefined ? Effect.dieMessage(kind) : found[1]
}

describe.each(kinds)("%s", (kind) => {
  it.scopedLive("does not follow a redirect to another host, and shows it no credentials", () =>
    Effect.gen(function* () {
      const redirected = Effect.fnUntraced(function* (status: number) {
        const reached: Array<unknown> = []
        const other = yield* serveHttp((request, response) => {
          reached.push(request.url)
          response.end("{}")
        })
        const port = yield* serveHttp(
          afterRequest((response) => response.writeHead(status, { location: `${originOf(other)}/stolen` }).end())
        )
        const error = yield* Effect.flip(callOf(kind, originOf(port)))
        expect(error).toMatchObject({ disposition: "stop-offering" })
        expect(reached).toEqual([])
      })
      yield* Effect.forEach([301, 302, 303, 307, 308], redirected, { concurrency: "unbounded", discard: true })
    })
  )

  it.scoped("ends at its time-out when the server sends a byte at a time (slow loris), and hangs up", () =>
    Effect.gen(function* () {
      const arrived = yield* Queue.unbounded<void>()
      const closed = yield* Deferred.make<void>()
      const port = yield* serveHttp(
        afterRequest((response) => {
          Queue.unsafeOffer(arrived, undefined)
          response.writeHead(200, { "content-type": "application/json" })
          const drip = setInterval(() => response.write(" "), 20)
          response.on("close", () => {
            clearInterval(drip)
            Deferred.unsafeDone(closed, Effect.void)
          })
        })
      )
      const timeout = "7 seconds"
      yield* passTimeOuts(arrived, timeout)
      const error = yield* Effect.flip(callOf(kind, originOf(port), { waldur: { timeout }, one: { timeout } }))
      expect(error._tag).toMatch(/TimedOut$/)
      yield* Deferred.await(closed)
    })
  )

  it.scopedLive("verifies the server's certificate by default, whatever NODE_TLS_REJECT_UNAUTHORIZED says", () =>
    Effect.gen(function* () {
      let answered = 0
      const port = yield* serve(
        makeHttps((_request, response) => {
          answered += 1
          response.end("{}")
        })
      )
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
          process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"
          return before
        }),
        (before) =>
          Effect.sync(() => {
            if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
            else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
          })
      )
      const error = yield* Effect.flip(callOf(kind, originOf(port, "https")))
      expect(error.message).toMatch(/(SELF_SIGNED|self-signed).*name its authority's PEM file in ca_file/)
      expect(answered).toBe(0)
    })
  )

  it.scopedLive(
    "says that no TLS is spoken where https:// leads to a plain port, without where in OpenSSL's source that was found",
    () =>
      Effect.gen(function* () {
        const port = yield* serveHttp((_request, response) => response.end("{}"))
        const { message } = yield* Effect.flip(callOf(kind, originOf(port, "https")))
        expect(message).toMatch(/No TLS is spoken at this port: correct the port in (\w*url), or write http:\/\//)
        expect(message.includes("oidc_token_url")).toBe(kind === "OIDC token")
        expect(message).not.toMatch(/deps|routines/)
      })
  )

  it.scopedLive("refuses a good certificate of another host, and takes it only if told not to verify", () =>
    Effect.gen(function* () {
      let answered = 0
      const target = yield* serve(
        makeHttps((_request, response) => {
          answered += 1
          response.end("{}")
        })
      )
      const proxy = yield* misleadingProxy(target)
      const origin = "https://waldur.invalid:8443"
      const trusting = { waldur: { proxy, tls: { caFile: certificateFile } }, one: { proxy, caFile: certificateFile } }
      const error = yield* Effect.flip(callOf(kind, origin, trusting))
      expect(error.message).toMatch(/(ALTNAME|altnames).*Write the host in \w*url as its certificate names it/)
      expect(answered).toBe(0)
      const careless = { waldur: { proxy, tls: { verify: false } }, one: { proxy, verifySsl: false } }
      yield* Effect.exit(callOf(kind, origin, careless))
      expect(answered).toBeGreaterThan(0)
    })
  )

  it.scopedLive("tells no secret in its errors, however the server quotes them", () =>
    Effect.gen(function* () {
      const quoted = (text: string) => [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)].join(" and ")
      const all = [token, clientSecret, password].map(quoted).join(" or ")
      const replies: ReadonlyArray<readonly [number, string]> = [
        [400, JSON.stringify({ detail: [all], [token]: { [clientSecret]: password } })],
        [401, JSON.stringify({ detail: all })],
        [403, `<html><title>${all}</title></html>`],
        [404, all],
        [409, JSON.stringify([all])],
        [418, all],
        [500, all],
        [200, all],
        [200, JSON.stringify({ uuid: all, access_token: `${token} ` })],
        [302, all]
      ]
      const quoting = Effect.fnUntraced(function* ([status, body]: readonly [number, string]) {
        const port = yield* serveHttp(
          afterRequest((response) =>
            response
              .writeHead(status, {
                location: `http://h/?${encodeURIComponent(token)}&${encodeURIComponent(clientSecret)}`
              })
              .end(body)
          )
        )
        const exit = yield* Effect.exit(callOf(kind, originOf(port)))
        const everything = Exit.match(exit, {
          onSuccess: () => "",
          onFailure: (cause) =>
            [
              Cause.pretty(cause, { renderErrorCause: true }),
              inspect(Cause.squash(cause), { depth: null, showHidden: true }),
              JSON.stringify(cause)
            ].join("\n")
        })
        const own = kind === "OpenNebula" ? [password] : kind === "OIDC token" ? [clientSecret] : [token]
        for (const secret of own) {
          expect(everything).not.toContain(secret)
          expect(everything).not.toContain(JSON.stringify(secret).slice(1, -1))
          expect(everything).not.toContain(encodeURIComponent(secret))
        }
      })
      yield* Effect.forEach(replies, quoting, { concurrency: "unbounded", discard: true })
    })
  )
})

describe("oversized answers", () => {
  const flood = (length: number, chunk: Buffer) =>
    serveHttp(
      afterRequest((response) => {
        response.writeHead(200, { "content-type": "application/json" })
        let sent = 0
        const more = () => {
          while (!response.destroyed && sent < length) {
            sent += chunk.length
            if (!response.write(chunk)) return
          }
          response.end()
        }
        response.on("drain", more)
        more()
      })
    )

  it.scopedLive("of Waldur end the call at the limit, with the limit in the error", () =>
    Effect.gen(function* () {
      const port = yield* flood(50_000_000, Buffer.alloc(65_536, "["))
      const waldur = yield* waldurAt(originOf(port), { maxAnswerBytes: 1_000_000 })
      const error = yield* Effect.flip(waldur.me)
      expect(error.message).toContain("larger than 1000000 bytes")
    })
  )

  it.scopedLive("of an identity provider as well", () =>
    Effect.gen(function* () {
      const port = yield* flood(50_000_000, Buffer.alloc(65_536, "["))
      const waldur = yield* waldurWithOidc("http://127.0.0.1:1", originOf(port), { maxAnswerBytes: 1_000_000 })
      expect((yield* Effect.flip(waldur.me)).message).toContain("larger than 1000000 bytes")
    })
  )

  it.scopedLive("of OpenNebula end the call at the limit of their kind: a version is no megabyte", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(
        afterRequest((response) => sendAnswer(response, envelope(`<string>${"x".repeat(1_500_000)}</string>`)))
      )
      const client = yield* makeClient(settingsFor(port))
      expect(yield* Effect.flip(client.call("one.system.version", [], version))).toMatchObject({
        _tag: "AnswerTooLarge",
        limitBytes: 1_000_000
      })
    })
  )

  it.scopedLive("that are small on the wire and large in memory (a million empty elements) are refused", () =>
    Effect.gen(function* () {
      const port = yield* serveHttp(
        afterRequest((response) => sendAnswer(response, documentAnswer(`<VM>${"<A/>".repeat(1_000_001)}</VM>`)))
      )
      const client = yield* makeClient(settingsFor(port))
      const error = yield* Effect.flip(client.call("one.vm.info", [1], document))
      expect(error).toMatchObject({ _tag: "MalformedAnswer" })
      expect(error.message).toContain("more than 1000000 elements")
    })
  )

  it.effect("of Waldur in many pages end at the limit of a list", () =>
    Effect.gen(function* () {
      let pages = 0
      const answer = (): WaldurAnswer => {
        pages += 1
        return {
          status: 200,
          header: () => Option.some('<http://x>; rel="next"'),
          json: [],
          length: 30_000_000
        }
      }
      const reads = yield* makeReads({ apiUrl: "", call: () => Effect.sync(answer) }, 100)
      const error = yield* Effect.flip(reads.orders({}))
      expect(error.message).toContain("a list of more than")
      expect(pages).toBe(9)
    })
  )

  it.scopedLive("that complain at length are not taken apart", () =>
    Effect.gen(function* () {
      const bush = (depth: number): unknown => (depth === 0 ? "no" : Array.from({ length: 20 }, () => bush(depth - 1)))
      const body = JSON.stringify(bush(5))
      const port = yield* serveHttp(afterRequest((response) => response.writeHead(400).end(body)))
      const waldur = yield* waldurAt(originOf(port))
      const error = yield* Effect.flip(waldur.setStateDone(id))
      expect(error._tag).toBe("WaldurInvalid")
      expect(error.message.length).toBeLessThan(8_000)
    })
  )

  it.scopedLive("that nest a million deep in JSON do not end the process", () =>
    Effect.gen(function* () {
      const depth = 1_000_000
      const bodies = ["[".repeat(depth), `${"[".repeat(depth)}${"]".repeat(depth)}`]
      let asked = 0
      const port = yield* serveHttp(afterRequest((response) => response.writeHead(200).end(bodies[asked++ % 2])))
      const waldur = yield* waldurAt(originOf(port))
      for (const _ of bodies) expect((yield* Effect.flip(waldur.me))._tag).toBe("WaldurMalformedAnswer")
    })
  )
})

describe("compressed answers", () => {
  it.scopedLive("are not asked for, and not unpacked (zip bombs)", () =>
    Effect.gen(function* () {
      const asked: Array<unknown> = []
      const port = yield* serveHttp(
        afterRequest((response, _body, request) => {
          asked.push(request.headers["accept-encoding"])
          response
            .writeHead(200, { "content-encoding": "gzip" })
            .end(Buffer.from("1f8b08000000000000030300000000000000", "hex"))
        })
      )
      for (const [, call] of allCalls(originOf(port))) {
        const error = yield* Effect.flip(call)
        expect(error._tag).toMatch(/MalformedAnswer$/)
      }
      expect(asked.every((encoding) => encoding === undefined)).toBe(true)
    })
  )
})
