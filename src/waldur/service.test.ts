import type { ServerResponse } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, Redacted } from "effect"
import { makeWaldur, type WaldurOptions } from "./index.js"
import { neverAnswer, type Reply, type Request, resetMidBody, scriptedServer } from "./testing/scripted-server.js"

const id = (n: number) => n.toString(16).padStart(32, "0")
const order = id(1)
const resource = id(2)
const offering = id(3)

const connect = (answer: (request: Request, count: number) => Reply, options: Partial<WaldurOptions> = {}) =>
  Effect.gen(function* () {
    const server = yield* scriptedServer(answer)
    const waldur = yield* makeWaldur({
      apiUrl: server.apiUrl,
      credentials: { _tag: "Token", token: Redacted.make("some-token") },
      ...options
    })
    /** The last word of each call's path: "set_state_done", or "read". */
    const calls = () =>
      server.seen.map(({ method, path }) => (method === "GET" ? "read" : (path.split("/").at(-2) ?? "")))
    return { server, waldur, calls }
  })

const orderIn = (state: string, more: object = {}): Reply => ({
  json: { uuid: order, type: "Create", state, offering_uuid: offering, ...more }
})
const conflict: Reply = { status: 409, json: { detail: "Valid states for operation: executing." } }
const unknownAddress: Reply = { status: 404, text: "<h1>Not Found</h1>" }
const noSuch: Reply = { status: 404, json: { detail: "No Resource matches the given query." } }

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

  it.scopedLive("keeps the others if one item cannot be read, and says which", () =>
    Effect.gen(function* () {
      const bad = { uuid: id(9), type: "Create", state: "executing", limits: { cpu: "much" } }
      const { waldur } = yield* connect(() => ({ json: [...listed([1]), bad, "what", null, ...listed([2])] }))
      const { items, malformed } = yield* waldur.orders({ offering })
      expect(items.map(({ uuid }) => uuid)).toEqual([id(1), id(2)])
      expect(malformed).toMatchObject([
        { uuid: Option.some(id(9)), reason: "field limits has an unexpected value" },
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

describe("moving an order", () => {
  it.scopedLive("accepts answers without a body, and with one", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ path }) =>
        path.includes("approve") ? { json: { detail: "Order has been approved." } } : {}
      )
      yield* waldur.approveByProvider(order)
      yield* waldur.rejectByProvider(order, "no")
      yield* waldur.setStateDone(order)
      yield* waldur.setStateExecuting(order)
      expect(server.seen.map(({ path, json }) => [path, json])).toEqual([
        [`marketplace-orders/${order}/approve_by_provider/`, {}],
        [`marketplace-orders/${order}/reject_by_provider/`, { provider_rejection_comment: "no" }],
        [`marketplace-orders/${order}/set_state_done/`, {}],
        [`marketplace-orders/${order}/set_state_executing/`, {}]
      ])
    })
  )

  it.scopedLive.each<
    readonly ["approveByProvider" | "rejectByProvider" | "setStateDone" | "setStateExecuting", string]
  >([
    ["approveByProvider", "executing"],
    ["approveByProvider", "done"],
    ["rejectByProvider", "rejected"],
    ["setStateDone", "done"],
    ["setStateExecuting", "executing"]
  ])("%s of an order that is there already is success", ([method, state]) =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(({ method }) => (method === "GET" ? orderIn(state) : conflict))
      yield* waldur[method](order)
      expect(calls()).toHaveLength(2)
    })
  )

  it.scopedLive.each<readonly ["approveByProvider" | "setStateDone" | "setStateExecuting", string]>([
    ["approveByProvider", "rejected"],
    ["setStateDone", "erred"],
    ["setStateExecuting", "done"]
  ])("%s of an order that went elsewhere is a conflict", ([method, state]) =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ method }) => (method === "GET" ? orderIn(state) : conflict))
      expect(yield* Effect.flip(waldur[method](order))).toMatchObject({ _tag: "WaldurConflict", disposition: "retry" })
    })
  )

  it.scopedLive("whose answer was lost looks before it sends again", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(({ method }) => (method === "GET" ? orderIn("done") : resetMidBody))
      yield* waldur.setStateDone(order)
      expect(calls()).toEqual(["set_state_done", "read"])
    })
  )

  it.scopedLive("that the server still shows where it was is looked at again", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ method }, count) =>
        method === "GET" ? orderIn(count === 0 ? "pending-provider" : "executing") : conflict
      )
      yield* waldur.approveByProvider(order)
    })
  )

  it.scopedLive("that had no effect is sent again", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(({ method }, count) =>
        method === "GET" ? orderIn("executing") : count === 0 ? { status: 502, text: "" } : {}
      )
      yield* waldur.setStateDone(order)
      expect(calls()).toEqual(["set_state_done", "read", "set_state_done"])
    })
  )
})

describe("marking an order as erred", () => {
  it.scopedLive("sends both fields to an executing order, cut to what fits", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ method }) => (method === "GET" ? orderIn("executing") : {}))
      yield* waldur.setStateErred(order, "m".repeat(3_000))
      expect(server.seen[1]?.json).toEqual({ error_message: "m".repeat(2_000), error_traceback: "" })
    })
  )

  it.scopedLive.each(["done", "pending-provider", "rejected"])("never touches one that is %s", (state) =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(() => orderIn(state))
      expect(yield* Effect.flip(waldur.setStateErred(order, "m"))).toMatchObject({ _tag: "WaldurConflict" })
      expect(calls()).toEqual(["read"])
    })
  )

  it.scopedLive("is not done twice if the first answer was lost", () =>
    Effect.gen(function* () {
      let state = "executing"
      const { waldur, calls } = yield* connect(({ method }) => {
        if (method === "GET") return orderIn(state)
        state = "erred"
        return resetMidBody
      })
      yield* waldur.setStateErred(order, "m")
      expect(calls()).toEqual(["read", "set_state_erred", "read"])
    })
  )
})

describe("waiting for an order to execute", () => {
  const scoped = { resource_uuid: id(7) }
  const finished = (scope: object): Reply => ({ json: [{ uuid: id(8), state: "OK", ...scope }] })
  const isList = ({ path }: Request) => path === "marketplace-provider-resources/"

  it.scopedLive("waits for the scope on a server that sets it", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect((request, count) => {
        if (isList(request)) return finished(scoped)
        return count === 0 ? orderIn("pending-provider") : orderIn("executing", count < 4 ? {} : scoped)
      })
      const found = yield* waldur.awaitExecuting(order, { scopeGrace: 0 })
      expect(found.scopeUuid).toEqual(Option.some(id(7)))
    })
  )

  it.scopedLive("does not wait for it on a server that never does, and asks that only once", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect((request) =>
        isList(request) ? finished({ resource_uuid: null }) : orderIn("executing")
      )
      yield* waldur.awaitExecuting(order, { scopeGrace: "1 minute" })
      yield* waldur.awaitExecuting(order, { scopeGrace: "1 minute" })
      expect(server.seen.filter(isList)).toHaveLength(1)
    })
  )

  it.scopedLive("knows from any resource that it has read, and then need not ask", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect((request) => {
        if (isList(request)) return { json: [] }
        return request.path.includes("orders")
          ? orderIn("executing")
          : { json: { uuid: resource, state: "OK", offering_uuid: offering, resource_uuid: null } }
      })
      yield* waldur.resource(resource)
      yield* waldur.awaitExecuting(order, { scopeGrace: "1 minute" })
      expect(server.seen.filter(isList)).toHaveLength(0)
    })
  )

  it.scopedLive("gives it a moment where nothing is known yet, and asks what is known only once", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect((request) => (isList(request) ? { json: [] } : orderIn("executing")))
      yield* waldur.awaitExecuting(order, { scopeGrace: "60 millis" })
      expect(server.seen.filter(isList)).toHaveLength(1)
      expect(server.seen.filter((request) => !isList(request)).length).toBeGreaterThan(1)
    })
  )

  it.scopedLive.each(["done", "erred", "canceled"])("returns an order that is %s as it is", (state) =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => orderIn(state))
      expect((yield* waldur.awaitExecuting(order)).state).toBe(state)
    })
  )

  it.scopedLive("ends at its deadline", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => orderIn("pending-provider"))
      expect(yield* Effect.flip(waldur.awaitExecuting(order, { deadline: "60 millis" }))).toMatchObject({
        _tag: "NotYet",
        disposition: "retry"
      })
    })
  )
})

describe("the backend id", () => {
  const answering = (looks: ReadonlyArray<string>) =>
    connect(({ method }, count) =>
      method === "POST" ? {} : { json: { uuid: resource, state: "Creating", backend_id: looks[count] } }
    )

  it.scopedLive("is set again if the server's background task overwrites it", () =>
    Effect.gen(function* () {
      const { waldur, calls, server } = yield* answering(["", "201"])
      yield* waldur.setBackendId(resource, "201")
      expect(calls()).toEqual(["set_backend_id", "read", "set_backend_id", "read"])
      expect(server.seen[0]?.json).toEqual({ backend_id: "201" })
    })
  )

  it.scopedLive("is put back if it was lost later, and only read if it was not", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* answering(["201", "", "201"])
      expect(yield* waldur.keepBackendId(resource, "201")).toBe(true)
      expect(yield* waldur.keepBackendId(resource, "201")).toBe(false)
      expect(calls()).toEqual(["read", "read", "set_backend_id", "read"])
    })
  )

  it.scopedLive("that is lost every time is left for later", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(({ method }) =>
        method === "POST" ? {} : { json: { uuid: resource, state: "Creating", backend_id: "" } }
      )
      const error = yield* Effect.flip(waldur.setBackendId(resource, "201"))
      expect(error).toMatchObject({ _tag: "NotYet", disposition: "retry" })
      expect(calls().filter((call) => call === "set_backend_id")).toHaveLength(5)
    })
  )

  it.scopedLive("of an order is no concern of older servers", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => unknownAddress)
      expect(yield* waldur.setOrderBackendId(order, "x")).toBe("unsupported")
    })
  )

  it.scopedLive("of an order that does not exist is an error", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({ status: 404, json: { detail: "No Order matches the given query." } }))
      expect(yield* Effect.flip(waldur.setOrderBackendId(order, "x"))).toMatchObject({ _tag: "WaldurNotFound" })
    })
  )
})

describe("limits", () => {
  const today = `marketplace-provider-resources/${resource}/set_limits/`
  const older = `marketplace-slurm-remote/${resource}/set_limits/`

  it.scopedLive("are set in today's way where the server knows it", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ path }) => (path === today ? {} : unknownAddress))
      yield* waldur.setLimits(resource, { cpu: 4 })
      expect(server.seen.map(({ path, json }) => [path, json])).toEqual([[today, { limits: { cpu: 4 } }]])
    })
  )

  it.scopedLive.each<readonly [string, Reply]>([
    ["404", unknownAddress],
    ["405", { status: 405, json: { detail: "Method not allowed." } }]
  ])("are set in the older way after a %s, and from then on at once", ([, reply]) =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ path }) => (path === older ? {} : reply))
      yield* waldur.setLimits(resource, { cpu: 4 })
      yield* waldur.setLimits(resource, { cpu: 8 })
      expect(server.seen.map(({ path, json }) => [path, json])).toEqual([
        [today, { limits: { cpu: 4 } }],
        [older, { cpu: 4 }],
        [older, { cpu: 8 }]
      ])
    })
  )

  it.scopedLive("survive the server's upgrade", () =>
    Effect.gen(function* () {
      let upgraded = false
      const { waldur } = yield* connect(({ path }) => ((path === today) === upgraded ? {} : unknownAddress))
      yield* waldur.setLimits(resource, { cpu: 4 })
      upgraded = true
      yield* waldur.setLimits(resource, { cpu: 8 })
    })
  )

  it.scopedLive.each([
    ["the older way is not known either", unknownAddress],
    ["the older way is another plugin's", noSuch]
  ] as const)("are left as they are where today's way is not known and %s", ([, olderAnswer]) =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ path }) => (path === today ? unknownAddress : olderAnswer))
      expect(yield* waldur.setLimits(resource, { cpu: 4 })).toBe("unsupported")
    })
  )

  it.scopedLive("of a resource that neither way finds fail with the first one's words", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(({ path }) => (path === today ? noSuch : unknownAddress))
      expect(yield* Effect.flip(waldur.setLimits(resource, {}))).toMatchObject({
        _tag: "WaldurNotFound",
        detail: "No Resource matches the given query."
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

describe("usage", () => {
  it.scopedLive("is reported with what Waldur wants, and read back as numbers", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ method }) =>
        method === "POST" ? { status: 201 } : { json: [{ uuid: id(1), type: "cpu", usage: "5.00" }] }
      )
      yield* waldur.setUsage({ resource, usages: [{ type: "cpu", amount: 5 }] })
      expect(server.seen[0]?.json).toEqual({ resource, usages: [{ type: "cpu", amount: 5, description: "" }] })
      const usages = yield* waldur.componentUsages(resource, "2026-11-01")
      expect(usages.items[0]).toMatchObject({ type: "cpu", usage: Option.some(5) })
      expect(server.seen[1]?.query.get("billing_period")).toBe("2026-11-01")
    })
  )
})

describe("the probe", () => {
  const permission = (role: string) => ({ role_name: role, scope_type: "offering", scope_uuid: offering })
  const world =
    (roles: ReadonlyArray<string>, type = "Marketplace.Slurm") =>
    ({ path }: Request): Reply => {
      if (path === "users/me/") return { json: { uuid: id(1), username: "agent", permissions: roles.map(permission) } }
      if (path === "version/") return { status: 403, json: { detail: "No." } }
      if (path.startsWith("marketplace-provider-offerings/")) {
        const components = [{ type: "cpu", name: "CPU" }]
        return { json: { uuid: offering, name: "VDC", state: "Active", type, components } }
      }
      return { json: [] }
    }

  it.scopedLive("is content with a user that has what it takes", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(world(["CUSTOMER.OWNER", "OFFERING.MANAGER"]))
      const results = yield* waldur.probe(offering)
      expect(results.filter(({ ok }) => !ok)).toEqual([])
      expect(results.map(({ detail }) => detail)).toContain('"VDC" is Active, with cpu')
      expect(server.seen.every(({ method }) => method === "GET")).toBe(true)
    })
  )

  it.scopedLive("says that an offering manager alone can finish nothing", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(world(["OFFERING.MANAGER"]))
      expect((yield* waldur.probe(offering)).filter(({ ok }) => !ok)).toMatchObject([
        { what: "the user's role with the provider" }
      ])
    })
  )

  it.scopedLive("says that orders of an offering of another type cannot be ended", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(world(["CUSTOMER.OWNER"], "Marketplace.Basic"))
      expect((yield* waldur.probe(offering)).filter(({ ok }) => !ok)).toMatchObject([{ what: "the offering's type" }])
    })
  )

  it.scopedLive("says one thing if the token is wrong", () =>
    Effect.gen(function* () {
      const { waldur } = yield* connect(() => ({ status: 401, json: { detail: "Invalid token." } }))
      expect(yield* waldur.probe(offering)).toMatchObject([{ ok: false }])
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
