import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { makeWaldur, WaldurServers } from "./index.js"
import { scriptedServer } from "./testing/scripted-server.js"

const user = { uuid: "0123456789abcdef0123456789abcdef", username: "site-agent" }

describe("the offerings of one Waldur", () => {
  it.scopedLive("share its breaker: while it is away nothing is sent but one probe, and then all go on", () =>
    Effect.gen(function* () {
      let up = false
      const server = yield* scriptedServer(() => (up ? { json: user } : { status: 502, text: "Bad Gateway" }))
      const breaker = yield* Effect.flatMap(WaldurServers, (servers) => servers.breaker(server.apiUrl))
      const connect = (token: string) =>
        makeWaldur({
          apiUrl: server.apiUrl,
          credentials: { _tag: "Token", token: Redacted.make(token) },
          breaker
        })
      const [one, other] = [yield* connect("a".repeat(40)), yield* connect("b".repeat(40))]
      for (const waldur of [one, other]) expect((yield* Effect.flip(waldur.me)).disposition).toBe("retry")
      // Each is tried three times; the sixth was not sent. Probes are the first one's, and may have begun on a slow machine.
      const ofOther = () => server.seen.filter(({ headers }) => headers.authorization === `Token ${"b".repeat(40)}`)
      expect(ofOther().length).toBe(2)
      up = true
      yield* breaker.passed
      expect(ofOther().length).toBe(2)
      expect(server.seen.length).toBeGreaterThan(5)
      expect(yield* other.me).toMatchObject(user)
    }).pipe(Effect.provide(WaldurServers.layer))
  )

  it.scopedLive("is not away when it refuses", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(() => ({ status: 403, json: { detail: "No." } }))
      const breaker = yield* Effect.flatMap(WaldurServers, (servers) => servers.breaker(server.apiUrl))
      const waldur = yield* makeWaldur({
        apiUrl: server.apiUrl,
        credentials: { _tag: "Token", token: Redacted.make("a".repeat(40)) },
        breaker
      })
      for (const _ of Array.from({ length: 8 })) {
        expect(yield* Effect.flip(waldur.me)).toMatchObject({ _tag: "WaldurForbidden" })
      }
      expect(yield* breaker.away).toBe(false)
    }).pipe(Effect.provide(WaldurServers.layer))
  )
})
