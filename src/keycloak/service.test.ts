import { createServer } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, TestClock, TestContext } from "effect"
import { endpointListener } from "../core/calls/breaker.js"
import { addClient, addGroup, addRealm, addUser, type Served, serve } from "../simulator/keycloak/index.js"
import { connectKeycloak, type KeycloakSettings, Keycloaks } from "./index.js"

const settingsFor = (url: string, more: Partial<KeycloakSettings> = {}): KeycloakSettings => ({
  url: `${url}/`,
  realm: "cloud",
  userRealm: "master",
  clientId: "admin-cli",
  clientSecret: undefined,
  username: "admin",
  password: Redacted.make("admin-test-pw"),
  verifySsl: true,
  caFile: undefined,
  proxy: undefined,
  timeout: 5_000,
  ...more
})

const site = Effect.gen(function* () {
  const served = yield* serve()
  const realm = addRealm(served.world, "cloud")
  addUser(served.world, realm, { username: "somebody" })
  return { ...served, realm }
})

const connected = (served: Pick<Served, "url">, more: Partial<KeycloakSettings> = {}) =>
  Effect.flatMap(Layer.build(Keycloaks.layer), (context) =>
    Effect.provide(connectKeycloak(settingsFor(served.url, more)), context)
  )

const tokensAsked = ({ world }: Served): number => world.requests.filter((one) => one.endsWith("/token")).length

describe("Keycloak", () => {
  it.scopedLive("behind a proxy that refuses, or is away, is not what is to blame", () =>
    Effect.gen(function* () {
      const proxy = createServer((_, answer) => void answer.writeHead(407).end("<html>squid</html>"))
      proxy.on("connect", (_, socket) => void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"))
      yield* Effect.acquireRelease(
        Effect.async<void>((resume) => void proxy.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.async<void>((resume) => void proxy.close(() => resume(Effect.void)))
      )
      const address = proxy.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      for (const url of ["http://keycloak.invalid", "https://keycloak.invalid"]) {
        const through = (at: number) =>
          Effect.gen(function* () {
            const keycloak = yield* connected({ url }, { proxy: Redacted.make(`http://127.0.0.1:${at}`) })
            return (yield* Effect.flip(keycloak.ping)).message
          })
        expect(yield* through(port), url).toMatch(
          /^Keycloak cannot be reached through the proxy: .*wants a user and a password, or others \(a token\)\. Check keycloak_proxy too\.$/
        )
        expect(yield* through(1), url).toBe(
          "Keycloak cannot be reached through the proxy: ECONNREFUSED (a token). Check keycloak_proxy too."
        )
      }
    })
  )

  it.scopedLive("finds a group by its whole name, not by a part of it and not a child of that name", () =>
    Effect.gen(function* () {
      const { realm, ...served } = yield* site
      const keycloak = yield* connected(served)
      const longer = addGroup(realm, "vdc_1001")
      addGroup(realm, "vdc_100", { parent: longer })
      expect(Option.isNone(yield* keycloak.group("vdc_100"))).toBe(true)
      addGroup(realm, "VDC_100")
      expect(Option.isNone(yield* keycloak.group("vdc_100"))).toBe(true)
      const top = addGroup(realm, "vdc_100", { attributes: { tag: ["x"] } })
      expect(Option.getOrThrow(yield* keycloak.group("vdc_100"))).toEqual({
        id: top.id,
        name: "vdc_100",
        attributes: { tag: ["x"] }
      })
    })
  )

  it.scopedLive("finds a user by id or by whole name, in any case", () =>
    Effect.gen(function* () {
      const { realm, world, ...served } = yield* site
      const keycloak = yield* connected({ ...served })
      addUser(world, realm, { username: "alice.b" })
      expect(Option.isNone(yield* keycloak.user("alice"))).toBe(true)
      const alice = addUser(world, realm, { username: "Alice" })
      for (const asked of ["ALICE", "alice", alice.id]) {
        expect(Option.map(yield* keycloak.user(asked), ({ id }) => id)).toEqual(Option.some(alice.id))
      }
    })
  )

  it.scopedLive("reads all pages of members and of children", () =>
    Effect.gen(function* () {
      const { realm, world, ...served } = yield* site
      const keycloak = yield* connected({ ...served })
      const group = addGroup(realm, "many")
      for (let index = 0; index < 230; index++) group.members.add(addUser(world, realm, { username: `u${index}` }))
      for (let index = 0; index < 13; index++) addGroup(realm, `c${index}`, { parent: group })
      expect((yield* keycloak.members(group.id)).length).toBe(230)
      expect((yield* keycloak.children(group.id)).length).toBe(13)
    })
  )

  it.scopedLive("does not take a group that is gone for an empty one", () =>
    Effect.gen(function* () {
      const served = yield* site
      const keycloak = yield* connected(served)
      const unknown = "00000000-0000-0000-0000-000000000000"
      expect((yield* Effect.flip(keycloak.members(unknown)))._tag).toBe("KeycloakNotFound")
      expect((yield* Effect.flip(keycloak.children(unknown)))._tag).toBe("KeycloakNotFound")
    })
  )

  it.scopedLive("says when it may see nobody, instead of finding nothing", () =>
    Effect.gen(function* () {
      const { realm, world, ...served } = yield* site
      const operator = {
        clientId: "operator",
        secret: "s",
        serviceAccount: true,
        roles: ["query-groups", "query-users"]
      }
      addClient(world, realm, operator)
      addGroup(realm, "vdc_1")
      const keycloak = yield* connected(
        { ...served },
        {
          userRealm: "cloud",
          clientId: "operator",
          clientSecret: Redacted.make("s"),
          username: "",
          password: undefined
        }
      )
      const error = yield* Effect.flip(keycloak.group("vdc_1"))
      expect(error).toMatchObject({ _tag: "KeycloakForbidden", disposition: "stop-offering" })
      expect((yield* Effect.flip(keycloak.ping))._tag).toBe("KeycloakForbidden")
    })
  )

  it.scopedLive("renews a token before it expires, and once when it is refused", () =>
    Effect.gen(function* () {
      const served = yield* site
      const keycloak = yield* connected(served)
      yield* keycloak.ping
      yield* keycloak.ping
      expect(tokensAsked(served)).toBe(1)
      // The server loses its sessions, as it does when it is restarted.
      served.world.tokens.clear()
      yield* keycloak.ping
      expect(tokensAsked(served)).toBe(2)
    })
  )

  it.scoped("asks for a new token when the old one is near its end", () =>
    Effect.gen(function* () {
      const served = yield* site
      const keycloak = yield* connected(served)
      yield* keycloak.ping
      yield* TestClock.adjust("53 seconds")
      yield* keycloak.ping
      expect(tokensAsked(served)).toBe(1)
      yield* TestClock.adjust("2 seconds")
      yield* keycloak.ping
      expect(tokensAsked(served)).toBe(2)
    }).pipe(Effect.provide(TestContext.TestContext))
  )

  it.scopedLive("takes what is as asked already for done", () =>
    Effect.gen(function* () {
      const { realm, world, ...served } = yield* site
      const keycloak = yield* connected({ ...served })
      const group = addGroup(realm, "g")
      const user = addUser(world, realm, { username: "u" })
      yield* keycloak.join(user.id, group.id)
      yield* keycloak.join(user.id, group.id)
      world.fault = ({ method }) => (method === "PUT" ? { _tag: "Answer", status: 409 } : undefined)
      yield* keycloak.join(user.id, group.id)
      yield* keycloak.leave(user.id, group.id)
      yield* keycloak.leave(user.id, group.id)
      yield* keycloak.deleteGroup(group.id)
      yield* keycloak.deleteGroup(group.id)
      world.fault = () => undefined
      expect((yield* Effect.flip(keycloak.join(user.id, group.id)))._tag).toBe("KeycloakNotFound")
    })
  )

  it.scopedLive("names what went wrong, with what follows from it, and without the password", () =>
    Effect.gen(function* () {
      const served = yield* site
      const failing = (more: Partial<KeycloakSettings>) =>
        Effect.flatMap(connected(served, more), (keycloak) => Effect.flip(keycloak.ping))
      const closed = yield* Effect.scoped(serve())
      const wrong = yield* failing({ password: Redacted.make("hunter2-secret") })
      expect(wrong).toMatchObject({ _tag: "KeycloakUnauthorized", disposition: "stop-offering" })
      expect(`${wrong.message} ${JSON.stringify(wrong)}`).not.toContain("hunter2")
      expect(yield* failing({ realm: "nowhere" })).toMatchObject({ _tag: "KeycloakMisconfigured" })
      expect(yield* failing({ userRealm: "nowhere" })).toMatchObject({ _tag: "KeycloakMisconfigured" })
      expect(yield* failing({ url: closed.url })).toMatchObject({
        _tag: "KeycloakUnreachable",
        reason: "ECONNREFUSED",
        disposition: "retry"
      })
      served.world.fault = () => ({ _tag: "Answer", status: 200, text: "<html>We are back soon</html>" })
      expect((yield* failing({}))._tag).toBe("KeycloakMalformedAnswer")
    })
  )

  it.scopedLive("tries again what may pass, and only that", () =>
    Effect.gen(function* () {
      const served = yield* site
      const keycloak = yield* connected(served)
      let left = 2
      served.world.fault = () => (left-- > 0 ? { _tag: "Cut" } : undefined)
      yield* keycloak.ping
      served.world.requests.length = 0
      served.world.fault = ({ path }) => (/groups\/?$/.test(path) ? { _tag: "Answer", status: 503 } : undefined)
      expect(yield* Effect.flip(keycloak.ping)).toMatchObject({ _tag: "KeycloakServerError", status: 503 })
      expect(served.world.requests.length).toBe(3)
    })
  )

  it.scopedLive("does not wait for ever", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer(() => undefined).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) =>
          Effect.sync(() => {
            server.close()
            server.closeAllConnections()
          })
      )
      const address = silent.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const keycloak = yield* connected({ url: `http://127.0.0.1:${port}` }, { timeout: 100 })
      expect(yield* Effect.flip(keycloak.ping)).toMatchObject({ _tag: "KeycloakTimedOut", milliseconds: 100 })
    })
  )

  it.scopedLive(
    "is asked no more while it is away, by nobody, and the offerings that need it hear of that and of its return",
    () =>
      Effect.gen(function* () {
        const served = yield* site
        const context = yield* Layer.build(Keycloaks.layer)
        const heard: Array<string> = []
        const open = (offering: string, more: Partial<KeycloakSettings> = {}) =>
          connectKeycloak(settingsFor(served.url, more)).pipe(
            Effect.provide(context),
            Effect.locally(endpointListener, ({ away }) =>
              Effect.sync(() => heard.push(`${offering} ${away ? "away" : "back"}`))
            )
          )
        const [one, other] = yield* Effect.all([open("one"), open("other", { realm: "master" })])
        yield* one.ping
        served.world.fault = () => ({ _tag: "Cut" })
        yield* Effect.exit(one.ping)
        yield* Effect.exit(other.ping)
        expect(heard.toSorted()).toEqual(["one away", "other away"])
        const before = served.world.requests.length
        expect(yield* Effect.flip(one.ping)).toMatchObject({ _tag: "KeycloakUnreachable", disposition: "retry" })
        expect(yield* Effect.flip(other.ping)).toMatchObject({ _tag: "KeycloakUnreachable" })
        // Whoever asks costs nothing: only the breaker's own probe may have come.
        expect(served.world.requests.length - before).toBeLessThanOrEqual(1)
        served.world.fault = () => undefined
        yield* Effect.repeat(
          Effect.delay(
            Effect.sync(() => heard.length),
            "10 millis"
          ),
          { until: (n) => n === 4 }
        ).pipe(Effect.timeout("1 minute"))
        yield* one.ping
        expect(heard.toSorted()).toEqual(["one away", "one back", "other away", "other back"])
      })
  )

  it.scopedLive("that answers 500 about one group is not away", () =>
    Effect.gen(function* () {
      const served = yield* site
      const keycloak = yield* connected(served)
      yield* keycloak.ping
      served.world.fault = ({ method }) => (method === "DELETE" ? { _tag: "Answer", status: 500 } : undefined)
      for (let time = 0; time < 3; time++) yield* Effect.exit(keycloak.deleteGroup("a"))
      served.world.fault = () => undefined
      yield* keycloak.ping
    })
  )
})
