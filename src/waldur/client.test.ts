import { describe, expect, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Option, Queue, Redacted } from "effect"
import { passTimeOuts } from "../../test/support/clock.js"
import { isSiteError } from "../core/errors.js"
import type { ObservedCall, WaldurOptions } from "./index.js"
import { makeWaldur } from "./index.js"
import { unknownAddress } from "./testing/connected.js"
import { neverAnswer, type Reply, type Request, resetMidBody, scriptedServer } from "./testing/scripted-server.js"

const token = "d4d388232ea25b721360cfd97781f51705f0a120"
const id = "0123456789abcdef0123456789abcdef"
const user = { uuid: id, username: "site-agent" }

const connect = (answer: (request: Request, count: number) => Reply, options: Partial<WaldurOptions> = {}) =>
  Effect.gen(function* () {
    const server = yield* scriptedServer(answer)
    const waldur = yield* makeWaldur({
      apiUrl: server.apiUrl,
      credentials: { _tag: "Token", token: Redacted.make(token) },
      ...options
    })
    return { server, waldur }
  })

/** What `me` fails with if every answer is this one. */
const failureOf = (reply: Reply, options: Partial<WaldurOptions> = {}) =>
  Effect.flatMap(
    connect(() => reply, options),
    ({ waldur, server }) => Effect.map(Effect.flip(waldur.me), (error) => ({ error, calls: server.seen.length }))
  )

describe("a call to Waldur", () => {
  it.scopedLive("carries the token, a user agent, and ends in a slash", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(() => ({ json: user }), { userAgent: "site-actors/1" })
      expect(yield* waldur.me).toMatchObject(user)
      expect(server.seen[0]).toMatchObject({
        method: "GET",
        path: "users/me/",
        headers: { authorization: `Token ${token}`, "user-agent": "site-actors/1" }
      })
    })
  )

  it.scopedLive("finds the API's root, whichever way the address was written down", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(() => ({ json: user }))
      for (const apiUrl of [server.apiUrl, server.apiUrl.replace(/\/$/, ""), server.apiUrl.replace("/api/", "")]) {
        const waldur = yield* makeWaldur({ apiUrl, credentials: { _tag: "Token", token: Redacted.make(token) } })
        yield* waldur.me
        expect(waldur.apiUrl).toBe(server.apiUrl)
      }
      expect(server.seen.map(({ path }) => path)).toEqual(["users/me/", "users/me/", "users/me/"])
    })
  )

  it.scopedLive("is repeated if it reads and the failure passes", () =>
    Effect.gen(function* () {
      const replies: ReadonlyArray<Reply> = [
        { status: 502, text: "<h1>Bad Gateway</h1>" },
        resetMidBody,
        { json: user }
      ]
      const { server, waldur } = yield* connect((_, count) => replies[count] ?? { status: 500 })
      expect(yield* waldur.me).toMatchObject(user)
      expect(server.seen).toHaveLength(3)
    })
  )

  it.scopedLive("is given up after three tries", () =>
    Effect.gen(function* () {
      const { error, calls } = yield* failureOf({ status: 500, text: "<title>Server Error (500)</title>\u0000\n<p>" })
      expect(error).toMatchObject({ _tag: "WaldurServerError", disposition: "retry", excerpt: "Server Error (500)" })
      expect(calls).toBe(3)
    })
  )

  it.scopedLive.each<readonly [string, Reply, object]>([
    [
      "401",
      { status: 401, json: { detail: "Invalid token." } },
      { _tag: "WaldurUnauthorized", disposition: "stop-offering" }
    ],
    ["403", { status: 403, json: { detail: "No." } }, { _tag: "WaldurForbidden", disposition: "stop-offering" }],
    ["404 of an object", { status: 404, json: { detail: "No." } }, { _tag: "WaldurNotFound", unknownAddress: false }],
    ["404 of an address", unknownAddress, { _tag: "WaldurNotFound", unknownAddress: true }],
    [
      "409",
      { status: 409, json: { detail: "Valid states: done." } },
      { _tag: "WaldurConflict", detail: "Valid states: done." }
    ],
    ["405", { status: 405, json: { detail: "No." } }, { _tag: "WaldurRefusedCall", status: 405 }],
    [
      "400",
      { status: 400, json: { limits: { cpu: ["Not a number."] }, non_field_errors: "Bad." } },
      { _tag: "WaldurInvalid", messages: ["limits.cpu: Not a number.", "Bad."] }
    ],
    [
      "400 with a list",
      { status: 400, json: ["Nothing changes."] },
      { _tag: "WaldurInvalid", messages: ["Nothing changes."] }
    ],
    [
      "429",
      { status: 429, headers: { "retry-after": "3600" } },
      { _tag: "WaldurRateLimited", disposition: "retry", retryAfter: Option.some(Duration.seconds(3600)) }
    ]
  ])("answered with %s fails once, with a tag that says what follows", ([, reply, expected]) =>
    Effect.gen(function* () {
      const { error, calls } = yield* failureOf(reply)
      expect(error).toMatchObject(expected)
      expect(isSiteError(error)).toBe(true)
      expect(calls).toBe(1)
    })
  )

  it.scopedLive("sends none like one that was limited before the server wants to hear of it again, and others", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(({ path }) =>
        path === "users/me/" ? { status: 429, headers: { "retry-after": "30" } } : { json: { version: "8.1" } }
      )
      const errors = yield* Effect.forEach([1, 2, 3], () => Effect.flip(waldur.me))
      expect(errors.map(({ _tag }) => _tag)).toEqual(errors.map(() => "WaldurRateLimited"))
      yield* waldur.version
      expect(server.seen.map(({ path }) => path)).toEqual(["users/me/", "version/"])
    })
  )

  it.scopedLive(
    "takes a refusal for the order's fault, but not where the offering or its customer is to be seen to",
    () =>
      Effect.gen(function* () {
        const refusals = [
          ["fail-order", ["Not a number."]],
          ["stop-offering", ["Offering is unavailable."]],
          ["retry", ["Archived organization is not available."]],
          ["stop-offering", { limits: "Unknown component types: storage" }],
          ["stop-offering", { backend_id: "Invalid format. Must be 2 uppercase letters" }],
          ["fail-order", { backend_id: "This backend_id is already in use." }]
        ] as const
        const errors = yield* Effect.forEach(refusals, ([, json]) =>
          Effect.gen(function* () {
            const { waldur } = yield* connect(() => ({ status: 400, json }))
            return yield* Effect.flip(waldur.setBackendMetadata(id, {}))
          })
        )
        expect(errors.map(({ disposition }) => disposition)).toEqual(refusals.map(([disposition]) => disposition))
        expect(errors.slice(2).map(({ message }) => message)).toEqual(
          ["have the organization opened", "restart the agent", "rules for backend ids", "unique ones within"].map(
            (advice) => expect.stringContaining(advice)
          )
        )
        expect(errors.at(-1)).toHaveProperty(
          "customerMessage",
          expect.stringContaining("order again, or ask the provider")
        )
      })
  )

  it.scopedLive("does not follow a redirect", () =>
    Effect.gen(function* () {
      const elsewhere = yield* scriptedServer(() => ({ json: user }))
      const { error } = yield* failureOf({ status: 301, headers: { location: `${elsewhere.apiUrl}users/me/` } })
      expect(error).toMatchObject({ _tag: "WaldurRedirected", disposition: "stop-offering" })
      expect(error.message).toContain(elsewhere.apiUrl)
      expect(elsewhere.seen).toHaveLength(0)
    })
  )

  it.scopedLive("takes no page of HTML for a success", () =>
    Effect.gen(function* () {
      const page = { status: 200, text: "<html>Down for maintenance</html>" }
      const { error } = yield* failureOf(page)
      expect(error).toMatchObject({ _tag: "WaldurMalformedAnswer", disposition: "retry" })
      const { waldur } = yield* connect(() => page)
      const done = yield* Effect.flip(waldur.setStateDone(id))
      expect(done._tag).toBe("WaldurMalformedAnswer")
    })
  )

  it.scopedLive("refuses an answer that is larger than allowed", () =>
    Effect.gen(function* () {
      const { error } = yield* failureOf({ json: { ...user, filler: "x".repeat(5_000) } }, { maxAnswerBytes: 4_000 })
      expect(error).toMatchObject({ _tag: "WaldurMalformedAnswer", reason: "larger than 4000 bytes" })
    })
  )

  it.scoped("ends at its time-out", () =>
    Effect.gen(function* () {
      const arrived = yield* Queue.unbounded<void>()
      const { waldur, server } = yield* connect(
        () => {
          Queue.unsafeOffer(arrived, undefined)
          return neverAnswer
        },
        { timeout: "7 seconds" }
      )
      yield* passTimeOuts(arrived, "7 seconds")
      const error = yield* Effect.flip(waldur.setUsage({ resource: id, usages: [] }))
      expect(error).toMatchObject({ _tag: "WaldurTimedOut", milliseconds: 7000 })
      expect(server.seen).toHaveLength(3)
    })
  )

  it.scopedLive("says that nobody listens there", () =>
    Effect.gen(function* () {
      const apiUrl = yield* Effect.scoped(
        Effect.map(
          scriptedServer(() => ({})),
          (server) => server.apiUrl
        )
      )
      const waldur = yield* makeWaldur({ apiUrl, credentials: { _tag: "Token", token: Redacted.make(token) } })
      expect(yield* Effect.flip(waldur.me)).toMatchObject({ _tag: "WaldurUnreachable", reason: "ECONNREFUSED" })
    })
  )

  it.scopedLive("shares the places: no more at once than allowed", () =>
    Effect.gen(function* () {
      let now = 0
      let most = 0
      const { waldur } = yield* connect(
        () => (response) => {
          now += 1
          most = Math.max(most, now)
          setTimeout(() => {
            now -= 1
            response.end(JSON.stringify(user))
          }, 10)
        },
        { concurrency: 3 }
      )
      yield* Effect.all(
        Array.from({ length: 12 }, () => waldur.me),
        { concurrency: "unbounded" }
      )
      expect(most).toBe(3)
    })
  )

  it.scopedLive("is reported with its address, status and duration, but no ids", () =>
    Effect.gen(function* () {
      const calls: Array<ObservedCall> = []
      const { waldur } = yield* connect(() => ({ status: 409, json: { detail: "No." } }), {
        observe: (call) =>
          Effect.zipRight(
            Effect.sync(() => calls.push(call)),
            Effect.dieMessage("a broken observer")
          )
      })
      yield* Effect.flip(waldur.order(id))
      expect(calls).toMatchObject([
        {
          method: "GET",
          path: "marketplace-orders/{uuid}/",
          status: Option.some(409),
          error: Option.some("WaldurConflict"),
          attempt: 1
        }
      ])
    })
  )

  it.scopedLive("never leaves the tree of addresses that it is made for", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(() => ({ json: user }))
      expect(yield* Effect.flip(waldur.order("../users/me"))).toMatchObject({ _tag: "WaldurInvalid" })
      expect(server.seen).toHaveLength(0)
    })
  )

  it.scopedLive("sends nothing that JSON has no word for", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(() => ({ json: {} }))
      expect(yield* Effect.flip(waldur.setLimits(id, { cpu: Number.NaN }))).toMatchObject({
        _tag: "WaldurInvalid",
        messages: ["cpu is not a finite number"]
      })
      expect(server.seen).toHaveLength(0)
    })
  )

  it.scopedLive.each<readonly [string, Reply]>([
    ["500", { status: 500, text: `<pre>Authorization: Token ${token}</pre>` }],
    ["400", { status: 400, json: { detail: [`Bad ${token}`] } }],
    ["401", { status: 401, json: { detail: `Invalid token ${token}.` } }],
    ["302", { status: 302, headers: { location: `https://x/?t=${token}` } }],
    ["200 with garbage", { text: `${token} is no JSON` }]
  ])("shows no token in its error, even if a server quotes it with %s", ([, reply]) =>
    Effect.gen(function* () {
      const { error } = yield* failureOf(reply)
      const shown = [error.message, String(error), JSON.stringify(error), Cause.pretty(Cause.fail(error)), error.stack]
      expect(shown.join("\n")).not.toContain(token)
      expect(error.message).toContain("***")
    })
  )

  it.scopedLive("with a token that fits into no header fails before anything is sent", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(() => ({ json: user }), {
        credentials: { _tag: "Token", token: Redacted.make("abc\r\nX-Evil: 1") }
      })
      const error = yield* Effect.flip(waldur.me)
      expect(error._tag).toBe("WaldurUnauthorized")
      expect(error.message).not.toContain("abc")
      expect(server.seen).toHaveLength(0)
    })
  )
})

describe("options that cannot work", () => {
  it.scopedLive.each<Partial<WaldurOptions>>([
    { apiUrl: "waldur" },
    { apiUrl: "ftp://waldur/api/" },
    { apiUrl: "https://me:secret@waldur/api/" },
    { tls: { caFile: "/nowhere/ca.pem" } },
    { proxy: Redacted.make("no proxy with secret") }
  ])("%o are a fault of the offering", (options) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        makeWaldur({
          apiUrl: "https://waldur.example.com/api/",
          credentials: { _tag: "Token", token: Redacted.make(token) },
          ...options
        })
      )
      const error = Option.getOrThrow(Exit.causeOption(exit).pipe(Option.flatMap(Cause.failureOption)))
      expect(error._tag).toBe("OfferingFault")
      expect(error.message).not.toContain("secret")
    })
  )
})
