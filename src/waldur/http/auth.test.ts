import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, Redacted, TestClock } from "effect"
import { makeWaldur } from "../index.js"
import { type Reply, type Request, scriptedServer } from "../testing/scripted-server.js"
import { makeAuthenticator } from "./auth.js"
import type { Transport } from "./transport.js"

const id = "0123456789abcdef0123456789abcdef"
const secret = "client-secret-of-the-agent"

const connect = (answer: (request: Request, count: number) => Reply) =>
  Effect.gen(function* () {
    const server = yield* scriptedServer(answer)
    const waldur = yield* makeWaldur({
      apiUrl: server.apiUrl,
      credentials: {
        _tag: "Oidc",
        tokenUrl: `${server.apiUrl}realm/token`,
        clientId: "agent",
        clientSecret: Redacted.make(secret)
      }
    })
    return { server, waldur, paths: () => server.seen.map(({ path }) => path) }
  })

const isToken = ({ path }: Request) => path === "realm/token"

describe("A token", () => {
  it.effect("is shown as Waldur knows it: an API token by its name, a personal access token as a bearer's", () =>
    Effect.gen(function* () {
      const shown = (token: string) =>
        Effect.gen(function* () {
          const credentials = { _tag: "Token", token: Redacted.make(token) } as const
          const auth = yield* makeAuthenticator(credentials, () => Effect.dieMessage("nothing is asked"))
          return Redacted.value(yield* auth.authorization)
        })
      expect(yield* shown("65b4c4f5e25f0cadb3e11c181be4ffa3881741f8")).toBe(
        "Token 65b4c4f5e25f0cadb3e11c181be4ffa3881741f8"
      )
      expect(yield* shown("w_1798761600_secretsecret")).toBe("Bearer w_1798761600_secretsecret")
    })
  )
})

describe("OIDC client credentials", () => {
  it.scopedLive("are traded for an access token, once for many calls", () =>
    Effect.gen(function* () {
      const { server, waldur, paths } = yield* connect((request) =>
        isToken(request) ? { json: { access_token: "first", expires_in: 300 } } : { json: { uuid: id, username: "a" } }
      )
      yield* Effect.all([waldur.me, waldur.me, waldur.me], { concurrency: "unbounded" })
      expect(paths().filter((path) => path === "realm/token")).toHaveLength(1)
      expect(Object.fromEntries(new URLSearchParams(server.seen[0]?.body))).toEqual({
        grant_type: "client_credentials",
        client_id: "agent",
        client_secret: secret
      })
      expect(server.seen[1]?.headers.authorization).toBe("Bearer first")
    })
  )

  it.scopedLive("are used once more if the server refuses the token, for a write too", () =>
    Effect.gen(function* () {
      const { waldur, paths } = yield* connect((request, count) => {
        if (isToken(request)) return { json: { access_token: `token-${count}`, expires_in: 300 } }
        return request.headers.authorization === "Bearer token-1" ? {} : { status: 401, json: { detail: "Expired." } }
      })
      yield* waldur.setStateDone(id)
      const done = `marketplace-orders/${id}/set_state_done/`
      expect(paths()).toEqual(["realm/token", done, "realm/token", done])
    })
  )

  it.scopedLive("that do not help are not tried for ever", () =>
    Effect.gen(function* () {
      const { waldur, paths } = yield* connect((request) =>
        isToken(request) ? { json: { access_token: "no" } } : { status: 401, json: { detail: "No such user." } }
      )
      expect(yield* Effect.flip(waldur.me)).toMatchObject({ _tag: "WaldurUnauthorized", detail: "No such user." })
      expect(paths()).toEqual(["realm/token", "users/me/", "realm/token", "users/me/"])
    })
  )

  it.scopedLive("that the identity provider refuses stop the offering, without telling the secret", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({
        status: 400,
        json: { error: "invalid_client", error_description: `No client with ${secret}` }
      }))
      const error = yield* Effect.flip(waldur.me)
      expect(error).toMatchObject({ _tag: "WaldurUnauthorized", disposition: "stop-offering" })
      expect(error.message).toContain("invalid_client")
      expect(JSON.stringify([error, error.message, error.stack])).not.toContain(secret)
    })
  )

  it.effect("are traded anew shortly before the token expires", () =>
    Effect.gen(function* () {
      let fetched = 0
      const transport: Transport = () =>
        Effect.sync(() => {
          fetched += 1
          const body = JSON.stringify({ access_token: `token-${fetched}`, expires_in: 300 })
          return { status: 200, header: () => Option.none(), body }
        })
      const auth = yield* makeAuthenticator(
        { _tag: "Oidc", tokenUrl: "http://id/token", clientId: "agent", clientSecret: Redacted.make(secret) },
        transport
      )
      const now = Effect.map(auth.authorization, Redacted.value)
      expect(yield* now).toBe("Bearer token-1")
      yield* TestClock.adjust("269 seconds")
      expect(yield* now).toBe("Bearer token-1")
      yield* TestClock.adjust("1 second")
      expect(yield* now).toBe("Bearer token-2")
      expect(auth.strike("token-1, token-2 and client-secret-of-the-agent")).toBe("***, *** and ***")
    })
  )

  it.effect("are traded once for many refused calls", () =>
    Effect.gen(function* () {
      let fetched = 0
      const transport: Transport = () =>
        Effect.delay(
          Effect.sync(() => {
            fetched += 1
            return {
              status: 200,
              header: () => Option.none(),
              body: JSON.stringify({ access_token: `token-${fetched}` })
            }
          }),
          "1 second"
        )
      const auth = yield* makeAuthenticator(
        { _tag: "Oidc", tokenUrl: "http://id/token", clientId: "agent", clientSecret: Redacted.make(secret) },
        transport
      )
      const refused = Redacted.make("Bearer old")
      const fiber = yield* Effect.fork(
        Effect.all([auth.renew(refused), auth.renew(refused), auth.authorization], { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("5 seconds")
      yield* fiber
      expect(fetched).toBe(1)
    })
  )
})
