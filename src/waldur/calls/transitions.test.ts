import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { conflict, connect, id, offering, order, orderIn, resource, unknownAddress } from "../testing/connected.js"
import { neverAnswer, type Reply, type Request, resetMidBody } from "../testing/scripted-server.js"

describe("moving an order", () => {
  it.scopedLive("accepts answers without a body, and with one", () =>
    Effect.gen(function* () {
      const { waldur, server } = yield* connect(({ path }) =>
        path.includes("approve") ? { json: { detail: "Order has been approved." } } : {}
      )
      yield* waldur.approveByProvider(order)
      yield* waldur.setStateDone(order)
      yield* waldur.setStateExecuting(order)
      expect(server.seen.map(({ path, json }) => [path, json])).toEqual([
        [`marketplace-orders/${order}/approve_by_provider/`, {}],
        [`marketplace-orders/${order}/set_state_done/`, {}],
        [`marketplace-orders/${order}/retry/`, {}]
      ])
    })
  )

  it.scopedLive.each<readonly ["approveByProvider" | "setStateDone" | "setStateExecuting", string]>([
    ["approveByProvider", "executing"],
    ["approveByProvider", "done"],
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

  it.scopedLive("that is refused with 400 is success if the order is there, and else a refusal, sent once", () =>
    Effect.gen(function* () {
      const refused = { status: 400, json: ["Cannot transition."] }
      const there = yield* connect(({ method }) => (method === "GET" ? orderIn("done") : refused))
      yield* there.waldur.setStateDone(order)
      const { calls, waldur } = yield* connect(({ method }) => (method === "GET" ? orderIn("executing") : refused))
      expect(yield* Effect.flip(waldur.setStateDone(order))).toMatchObject({ disposition: "fail-order" })
      expect(calls()).toEqual(["set_state_done", "read"])
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

describe("saying that an order has erred", () => {
  it.scopedLive("is not done twice while the first time may still be carried out", () =>
    Effect.gen(function* () {
      let saidAt = Number.POSITIVE_INFINITY
      const { calls, waldur } = yield* connect(
        ({ method }) => {
          if (method === "GET") return orderIn(performance.now() - saidAt > 900 ? "erred" : "executing")
          saidAt = Math.min(saidAt, performance.now())
          return neverAnswer
        },
        { timeout: "400 millis" }
      )
      yield* waldur.setStateErred(order, "It does not boot.")
      expect(calls().filter((call) => call === "set_state_erred")).toHaveLength(1)
    })
  )

  it.scopedLive("is done again when it had no effect", () =>
    Effect.gen(function* () {
      let said = 0
      const { waldur } = yield* connect(
        ({ method }) => {
          if (method === "GET") return orderIn("executing")
          said += 1
          return said === 1 ? neverAnswer : {}
        },
        { timeout: "300 millis" }
      )
      yield* waldur.setStateErred(order, "It does not boot.")
      expect(said).toBe(2)
    })
  )
})

describe("taking an erred order up again on a server without `retry`", () => {
  const older = (state: string) => (request: Request) => {
    if (request.path.includes("/retry/")) return unknownAddress
    if (request.path.includes("resources"))
      return { json: { uuid: resource, state, offering_uuid: offering, resource_uuid: null } }
    return request.method === "GET" ? orderIn("erred", { marketplace_resource_uuid: resource }) : {}
  }

  it.scopedLive("is the older call", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(older("Erred"))
      yield* waldur.setStateExecuting(order)
      expect(calls()).toEqual(["retry", "read", "read", "set_state_executing"])
    })
  )

  it.scopedLive("is refused if its resource has ended: that would never be done", () =>
    Effect.gen(function* () {
      const { waldur, calls } = yield* connect(older("Terminated"))
      const refused = yield* Effect.flip(waldur.setStateExecuting(order))
      expect(refused).toMatchObject({ _tag: "WaldurConflict" })
      expect(refused.message).toContain("ordered anew")
      expect(calls()).toEqual(["retry", "read", "read"])
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

  it.scopedLive.each(["done", "erred", "canceled", "pending-start-date"])(
    "returns an order that is %s as it is",
    (state) =>
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
