import type { ServerResponse } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Fiber, Option } from "effect"
import { connect, id, offering, order, unknownAddress } from "../testing/connected.js"
import { neverAnswer } from "../testing/scripted-server.js"

describe("a single object", () => {
  it.scopedLive("that is another one than was asked for is no answer, however often", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(({ path }) => ({
        json: { uuid: id(9), name: "", state: path.includes("orders") ? "canceled" : "OK", type: "Create" }
      }))
      const refused = { _tag: "WaldurMalformedAnswer", disposition: "retry" }
      expect(yield* Effect.flip(waldur.order(order))).toMatchObject(refused)
      expect(yield* Effect.flip(waldur.resource(order))).toMatchObject(refused)
      const asked = server.seen.length
      expect(yield* waldur.order("00000000-0000-0000-0000-000000000009")).toMatchObject({ uuid: id(9) })
      expect(asked).toBe(2)
    })
  )
})

describe("a list", () => {
  const listed = (numbers: ReadonlyArray<number>) =>
    numbers.map((n) => ({ uuid: id(n), type: "Create", state: "executing" }))

  it.scopedLive("is read to its last page, each item once, asking for few fields and for the wanted states", () =>
    Effect.gen(function* () {
      const pages: ReadonlyArray<ReadonlyArray<number>> = [[1, 2], [2, 3], [4]]
      const { server, waldur } = yield* connect(
        ({ query }) => {
          const page = Number(query.get("page"))
          const link =
            page < 3 ? `<http://internal:8000/api/x/?page=${page + 1}>; rel="next"` : `<http://x>; rel="first"`
          return { headers: { link }, json: listed(pages[page - 1] ?? []) }
        },
        { pageSize: 2 }
      )
      const { items, malformed } = yield* waldur.orders({ offering, states: ["pending-provider", "executing"] })
      expect(items.map(({ uuid }) => uuid)).toEqual([1, 2, 3, 4].map(id))
      expect(malformed).toEqual([])
      const asked = server.seen[0]?.query
      expect(asked?.getAll("state")).toEqual(["pending-provider", "executing"])
      expect(asked?.get("offering_uuid")).toBe(offering)
      expect(asked?.get("page_size")).toBe("2")
      expect(asked?.getAll("field")).toContain("marketplace_resource_uuid")
    })
  )

  it.scopedLive("of an offering's accounts asks for few fields as well: each has thirty in Waldur", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(() => ({
        json: [{ uuid: id(1), user_uuid: id(2), username: null, state: "Requested", is_restricted: true }]
      }))
      const { items } = yield* waldur.offeringUsers(offering)
      expect(items).toMatchObject([{ username: "", state: "Requested", restricted: true }])
      expect(server.seen[0]?.query.getAll("field")).toEqual(["uuid", "user_uuid", "username", "state", "is_restricted"])
    })
  )

  it.scopedLive("is not over where a proxy answers with a page of its own in the middle of it", () =>
    Effect.gen(function* () {
      const headers = { link: `<http://x/?page=2>; rel="next"` }
      const { waldur } = yield* connect(({ path, query }) =>
        path === "users/me/"
          ? { json: { uuid: id(9), username: "agent" } }
          : query.get("page") === "1"
            ? { headers, json: listed([1]) }
            : { status: 404, text: "404 page not found" }
      )
      const found = yield* Effect.either(waldur.orders({ offering }))
      expect(Either.isLeft(found) && found.left.disposition).toBe("retry")
    })
  )

  it.scopedLive(
    "that says how many it has is read some pages at once, and is in its order, also if it grows meanwhile",
    () =>
      Effect.gen(function* () {
        const held = new Map<number, ServerResponse>()
        const { server, waldur } = yield* connect(
          ({ query }) => {
            const page = Number(query.get("page"))
            const reply = (response: ServerResponse, of: number) => {
              const link = of < 5 ? `<http://x/?page=${of + 1}>; rel="next"` : `<http://x>; rel="first"`
              response.writeHead(200, { "content-type": "application/json", link, "x-result-count": "8" })
              response.end(JSON.stringify(listed([2 * of, 2 * of + 1])))
            }
            return (response) => {
              if (page === 2 || page === 3) held.set(page, response)
              else reply(response, page)
              // Pages 2 and 3 come only when both were asked for, and 3 first.
              if (held.size < 2) return
              for (const [of, other] of [...held].toSorted(([a], [b]) => b - a)) reply(other, of)
              held.clear()
            }
          },
          { pageSize: 2 }
        )
        const { items } = yield* waldur.orders({ offering })
        expect(items.map(({ uuid }) => uuid)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(id))
        expect(server.seen.map(({ query }) => query.get("page")).toSorted()).toEqual(["1", "2", "3", "4", "5"])
      })
  )

  it.scopedLive("of an offering's orders can be asked for in parts", () =>
    Effect.gen(function* () {
      const { server, waldur } = yield* connect(() => ({ json: listed([1]) }))
      yield* waldur.queue(offering, { changedSince: Date.UTC(2026, 0, 2), resource: id(7) })
      yield* waldur.queue(offering, { pending: true })
      const [changed, pending] = server.seen.map(({ query }) => query)
      expect([changed?.get("modified"), changed?.get("resource_uuid")]).toEqual(["2026-01-02T00:00:00.000Z", id(7)])
      // Somebody may have ended it.
      expect(changed?.getAll("state")).toContain("canceled")
      expect([pending?.get("modified"), pending?.getAll("state")]).toEqual([null, ["pending-provider"]])
    })
  )

  it.scopedLive("keeps the others if one item cannot be read, and says which", () =>
    Effect.gen(function* () {
      const bad = { uuid: id(9), type: "Create", state: null }
      const { waldur } = yield* connect(() => ({ json: [...listed([1]), bad, "what", null, ...listed([2])] }))
      const { items, malformed } = yield* waldur.orders({ offering })
      expect(items.map(({ uuid }) => uuid)).toEqual([id(1), id(2)])
      expect(malformed).toMatchObject([
        { uuid: Option.some(id(9)), reason: "field state has an unexpected value" },
        { uuid: Option.none() },
        { uuid: Option.none() }
      ])
    })
  )

  it.scopedLive("that shrinks while it is read ends where it ends", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ query }) =>
        query.get("page") === "1"
          ? { headers: { link: `<http://x>; rel="next"` }, json: listed([1]) }
          : { status: 404, json: { detail: "Invalid page." } }
      )
      expect((yield* waldur.orders({})).items).toHaveLength(1)
    })
  )

  it.scopedLive("without Link is read by its count", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ query }) => ({
        headers: { "x-result-count": "3" },
        json: listed([Number(query.get("page"))])
      }))
      expect((yield* waldur.resources({ offering })).malformed).toEqual([])
      expect((yield* waldur.orders({})).items).toHaveLength(3)
    })
  )

  it.scopedLive("that is no list is not an empty one", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({ json: { results: [] } }))
      expect(yield* Effect.flip(waldur.orders({}))).toMatchObject({
        _tag: "WaldurMalformedAnswer",
        reason: "not a list"
      })
    })
  )
})

describe("an SSH key", () => {
  it.scopedLive("is found on the last page of the provider's keys", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ path, query }) => {
        if (path === "marketplace-service-providers/") return { json: [{ uuid: id(5), customer_uuid: id(4) }] }
        const page = Number(query.get("page"))
        return {
          headers: { link: page < 3 ? `<x>; rel="next"` : "" },
          json: [{ uuid: id(100 + page), public_key: `ssh-ed25519 ${page}` }]
        }
      })
      const dashed = id(103).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
      expect(Option.getOrThrow(yield* waldur.sshKey(id(4), dashed)).publicKey).toBe("ssh-ed25519 3")
      expect(server.seen[0]?.query.get("customer_uuid")).toBe(id(4))
      expect(server.seen[1]?.path).toBe(`marketplace-service-providers/${id(5)}/keys/`)
      expect(yield* waldur.sshKey(id(4), id(999))).toEqual(Option.none())
      expect(yield* waldur.sshKey(id(4), "not a uuid")).toEqual(Option.none())
    })
  )
})

describe("offerings and plans", () => {
  it.scopedLive("an offering that is not shown stops the offering", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({
        status: 404,
        json: { detail: "No Offering matches the given query." }
      }))
      expect(yield* Effect.flip(waldur.offering(offering))).toMatchObject({ disposition: "stop-offering" })
    })
  )

  it.scopedLive("a proxy's error page does not", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({ status: 404, text: "404 page not found" }))
      expect(yield* Effect.flip(waldur.offering(offering))).toMatchObject({ disposition: "retry" })
    })
  )

  it.scopedLive("a plan is looked for among the offering's own if it has no address", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ path }) =>
        path.startsWith("marketplace-plans/")
          ? unknownAddress
          : { json: { uuid: offering, state: "Active", plans: [{ uuid: id(6), quotas: { ram: "512.00" } }] } }
      )
      expect((yield* waldur.plan(id(6), offering)).quotas).toEqual({ ram: 512 })
      expect(yield* Effect.flip(waldur.plan(id(66), offering))).toMatchObject({ _tag: "WaldurNotFound" })
    })
  )

  it.scopedLive("the version is none where the user may not ask for it", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({ status: 403, json: { detail: "No." } }))
      expect(yield* waldur.version).toEqual(Option.none())
    })
  )
})

describe("an interrupted call", () => {
  it.scopedLive("gives its place back", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ path }) => (path.includes(order) ? neverAnswer : { json: [] }), {
        concurrency: 1
      })
      const fiber = yield* Effect.fork(waldur.order(order))
      yield* Effect.sleep("30 millis")
      yield* Fiber.interrupt(fiber)
      expect((yield* waldur.orders({})).items).toEqual([])
    })
  )
})
