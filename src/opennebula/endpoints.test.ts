import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Redacted, Scope } from "effect"
import { envelope } from "../../test/support/openNebulaDecoding.js"
import { certificateFile, serveHttp } from "../../test/support/tinyServers.js"
import { endpointListener } from "../core/calls/breaker.js"
import type { OpenNebulaSettings } from "./client.js"
import { OpenNebulaEndpoints } from "./endpoints.js"
import type { Answer } from "./wire/answer.js"

const version: Answer<string> = { _tag: "Text", decode: Effect.succeed }
const answer = envelope("<string>7.4.0</string>")
const good: OpenNebulaSettings = { apiUrl: "http://front-end:2633/RPC2", credentials: Redacted.make("user:hunter2") }

const clientFor = (settings: OpenNebulaSettings) =>
  Effect.flatMap(OpenNebulaEndpoints, (endpoints) => endpoints.client(settings)).pipe(
    Effect.provide(OpenNebulaEndpoints.layer())
  )

describe("the URL of a front-end", () => {
  it.scoped.each([
    ["http://front-end:2633", "http://front-end:2633/RPC2"],
    ["http://front-end:2633/", "http://front-end:2633/RPC2"],
    [" https://front-end/RPC2\n", "https://front-end/RPC2"],
    ["https://proxy/one/RPC2", "https://proxy/one/RPC2"],
    ["https://proxy/one/", "https://proxy/one/"]
  ] as const)("%j is %s", ([apiUrl, endpoint]) =>
    Effect.gen(function* () {
      expect((yield* clientFor({ ...good, apiUrl })).endpoint).toBe(endpoint)
    })
  )
})

describe("wrong settings", () => {
  const wrong: ReadonlyArray<readonly [string, Partial<OpenNebulaSettings>]> = [
    ["a URL without a scheme", { apiUrl: "front-end:2633/RPC2" }],
    ["another scheme", { apiUrl: "ftp://front-end/RPC2" }],
    ["credentials in the URL", { apiUrl: "http://user:hunter2@front-end/RPC2" }],
    ["credentials without a colon", { credentials: Redacted.make("hunter2") }],
    ["credentials without a user", { credentials: Redacted.make(":hunter2") }],
    ["credentials with a line break", { credentials: Redacted.make("user:hunter2\n") }],
    ["a certificate file that is not there", { caFile: "/nowhere/ca.pem" }],
    ["a certificate file that is none", { caFile: new URL(import.meta.url).pathname }],
    ["a proxy that is no URL", { proxy: Redacted.make("hunter2@proxy") }],
    ["no places", { maxConcurrent: 0 }],
    ["no time", { timeout: 0 }]
  ]
  it.scoped.each(wrong)("stop the offering before any call, and do not show secrets: %s", ([, settings]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(clientFor({ ...good, ...settings }))
      expect(error).toMatchObject({ _tag: "OfferingFault", disposition: "stop-offering" })
      expect(`${error.message} ${JSON.stringify(error)}`).not.toContain("hunter2")
    })
  )

  it.scoped("that only look unusual are fine: spaces in a password, a certificate file, a proxy", () =>
    Effect.gen(function* () {
      yield* clientFor({
        ...good,
        credentials: Redacted.make("user:a long : hunter2"),
        caFile: certificateFile,
        proxy: Redacted.make("http://user:p@proxy:3128")
      })
    })
  )
})

describe("the clients of one front-end", () => {
  it.scopedLive("share its places, whatever their credentials; the most careful of them decides", () =>
    Effect.gen(function* () {
      let now = 0
      let most = 0
      const port = yield* serveHttp((_request, response) => {
        now += 1
        most = Math.max(most, now)
        // Long enough that a call beside it would be seen.
        setTimeout(() => {
          now -= 1
          response.end(answer)
        }, 20)
      })
      const apiUrl = `http://127.0.0.1:${port}`
      const endpoints = yield* OpenNebulaEndpoints
      const one = yield* endpoints.client({ ...good, apiUrl, maxConcurrent: 5 })
      const askAll = (clients: ReadonlyArray<typeof one>) =>
        Effect.forEach(clients, (client) => client.call("one.system.version", [], version), {
          concurrency: "unbounded"
        })
      yield* askAll([one, one, one, one])
      expect(most).toBeGreaterThan(1)
      most = 0
      const credentials = Redacted.make("other:hunter2")
      const other = yield* endpoints.client({ apiUrl: `${apiUrl}/RPC2`, credentials, maxConcurrent: 1 })
      yield* askAll([one, other, one, other])
      expect(most).toBe(1)
    }).pipe(Effect.provide(OpenNebulaEndpoints.layer()))
  )

  it.scopedLive("get more places when the careful one is gone", () =>
    Effect.gen(function* () {
      const [firstArrived, secondArrived] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const held: Array<() => void> = []
      const port = yield* serveHttp((_request, response) => {
        held.push(() => response.end(answer))
        Deferred.unsafeDone(held.length === 1 ? firstArrived : secondArrived, Effect.void)
      })
      const apiUrl = `http://127.0.0.1:${port}`
      const endpoints = yield* OpenNebulaEndpoints
      const one = yield* endpoints.client({ ...good, apiUrl, maxConcurrent: 2 })
      const ask = one.call("one.system.version", [], version)
      const careful = yield* Scope.make()
      yield* Scope.extend(endpoints.client({ ...good, apiUrl, maxConcurrent: 1 }), careful)
      const calls = [yield* Effect.fork(ask), yield* Effect.fork(ask)]
      yield* Deferred.await(firstArrived)
      yield* Scope.close(careful, Exit.void)
      // The first is not answered before the second has come as well.
      yield* Deferred.await(secondArrived)
      for (const release of held) release()
      expect(yield* Fiber.joinAll(calls)).toEqual(["7.4.0", "7.4.0"])
    }).pipe(Effect.provide(OpenNebulaEndpoints.layer()))
  )

  it.scopedLive("share its breaker: when it is away for one, no other sends anything, until a probe is answered", () =>
    Effect.gen(function* () {
      let up = false
      let asked = 0
      const port = yield* serveHttp((_request, response) => {
        asked += 1
        if (up) response.end(answer)
        else response.writeHead(503).end()
      })
      const apiUrl = `http://127.0.0.1:${port}`
      const endpoints = yield* OpenNebulaEndpoints
      const one = yield* endpoints.client({ ...good, apiUrl })
      const other = yield* endpoints.client({ apiUrl, credentials: Redacted.make("other:hunter2") })
      const back = yield* Deferred.make<void>()
      yield* Effect.locally(other.listen ?? Effect.void, endpointListener, ({ away }) =>
        Effect.asVoid(Effect.unless(Deferred.succeed(back, undefined), () => away))
      )
      for (const client of [one, one, one, one, one, one, other, other]) {
        const error = yield* Effect.flip(client.call("one.vm.info", [7], version))
        expect(error).toMatchObject({ _tag: "HttpFailure", disposition: "retry" })
      }
      expect(asked).toBe(5)
      up = true
      yield* Deferred.await(back)
      expect(asked).toBe(6)
      expect(yield* other.call("one.system.version", [], version)).toBe("7.4.0")
    }).pipe(Effect.provide(OpenNebulaEndpoints.layer()))
  )
})
