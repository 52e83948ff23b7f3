/** What the simulated marketplace refuses an agent, and tells it, beside orders: by the open-source server, as no recorded one had it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { field, stage } from "./testing/stage.js"
import { recordsOf } from "./world.js"

describe("what an agent says of itself", () => {
  it.scoped("names an offering that it may manage, and keeps it", () =>
    Effect.gen(function* () {
      const { agent, customer, world } = yield* stage()
      const path = "marketplace-site-agent-identities/"
      const offering = world.vdcOffering.uuid
      expect((yield* agent("POST", path, { name: "agent" })).status).toBe(400)
      expect((yield* agent("POST", path, { name: "agent", offering: "f".repeat(32) })).status).toBe(400)
      expect((yield* customer("POST", path, { name: "agent", offering })).status).toBe(403)
      const made = yield* agent("POST", path, { name: "agent", offering })
      expect(made.status).toBe(201)
      const own = `${path}${field(made.json, "uuid")}/`
      expect((yield* customer("GET", own)).status).toBe(404)
      expect((yield* agent("PATCH", own, { version: "2" })).status).toBe(405)
      expect((yield* agent("PUT", own, { name: "agent", offering, version: "2" })).status).toBe(200)
      expect((yield* agent("PUT", own, { name: "agent", offering: world.vmOffering.uuid })).status).toBe(400)
      expect((yield* agent("POST", `${own}register_service/`, { mode: "report" })).status).toBe(400)
      const service = yield* agent("POST", `${own}register_service/`, { name: "report", mode: "report" })
      const processors = `marketplace-site-agent-services/${field(service.json, "uuid")}/register_processor/`
      expect((yield* agent("POST", processors, { name: "one" })).status).toBe(400)
      expect((yield* agent("POST", processors, { name: "one", backend_type: "vdc" })).status).toBe(201)
      expect((yield* agent("POST", "marketplace-site-agent-services/", {})).status).toBe(405)
      const events = `${own}register_event_subscription/`
      expect((yield* agent("POST", events, { observable_object_type: "weather" })).status).toBe(400)
      expect((yield* agent("POST", events, { observable_object_type: "order" })).status).toBe(201)
      expect((yield* agent("POST", events, { observable_object_type: "order" })).status).toBe(200)
    })
  )
})

describe("an account of an offering", () => {
  it.scoped("is OK with its first name, and with no name once its person has left", () =>
    Effect.gen(function* () {
      const { agent, marketplace, world } = yield* stage()
      const [user] = marketplace.world.users.values()
      if (user === undefined) throw new Error("there is nobody")
      const account = marketplace.addOfferingUser({ offering: world.vdcOffering, user })
      const path = `marketplace-offering-users/${account.uuid}/`
      yield* agent("PATCH", path, { username: "alice" })
      expect(account).toMatchObject({ username: "alice", state: "OK" })
      account.state = "Requested"
      yield* agent("PATCH", path, { username: "alice" })
      expect(account.state).toBe("Requested")
      account.state = "Requested deletion"
      yield* agent("PATCH", path, { username: "alice-2" })
      expect(account).toMatchObject({ username: "alice-2", state: "Requested deletion" })
      expect((yield* agent("PATCH", path, { username: "a".repeat(101) })).status).toBe(400)
      const elsewhere = marketplace.addOfferingUser({ offering: world.vmOffering, user })
      expect((yield* agent("GET", `marketplace-offering-users/${elsewhere.uuid}/`)).status).toBe(404)
    })
  )
})

describe("a request to import", () => {
  it.scoped("is staff's to make, and goes from Sent to Processing to Done", () =>
    Effect.gen(function* () {
      const { agent, marketplace, world } = yield* stage()
      const path = "backend-resource-requests/"
      expect((yield* agent("POST", path, { offering: world.vdcOffering.uuid })).status).toBe(403)
      const uuid = `${"0".repeat(31)}1`
      const now = marketplace.world.now()
      const fields = { offering: world.vdcOffering.uuid, state: "Sent" }
      recordsOf(marketplace.world, "backend-resource-requests").set(uuid, { uuid, created: now, modified: now, fields })
      const move = (action: string, body: unknown = {}) => agent("POST", `${path}${uuid}/${action}/`, body)
      expect((yield* move("set_done")).status).toBe(409)
      expect((yield* move("start_processing")).status).toBe(200)
      expect((yield* move("start_processing")).status).toBe(409)
      expect((yield* move("set_erred", { error_message: "no" })).status).toBe(400)
      expect((yield* move("set_done")).status).toBe(200)
      const offered = { name: "lab", project: world.project.uuid, backend_id: "7" }
      expect((yield* agent("POST", "backend-resources/", { ...offered, offering: "f".repeat(32) })).status).toBe(400)
    })
  )
})

describe("the marketplace", () => {
  it.scoped(
    "tells of an order that waits or is done, and of a resource that is paused or closed: of nothing else",
    () =>
      Effect.gen(function* () {
        const { agent, marketplace, decide, orderVdc, write, world } = yield* stage()
        const offering = world.vdcOffering.uuid
        const identity = yield* agent("POST", "marketplace-site-agent-identities/", { name: "agent", offering })
        const heard = (type: string) =>
          Effect.gen(function* () {
            const at = `marketplace-site-agent-identities/${field(identity.json, "uuid")}/register_event_subscription/`
            const subscription = yield* agent("POST", at, { observable_object_type: type })
            const queues = `event-subscriptions/${field(subscription.json, "uuid")}/create_queue/`
            const queue = yield* agent("POST", queues, { offering_uuid: offering, object_type: type })
            return () =>
              marketplace.broker.counts(field(queue.json, "vhost"), field(queue.json, "queue_name"))?.ready ?? 0
          })
        const [orders, resources] = [yield* heard("order"), yield* heard("resource")]
        const { order, resource } = yield* orderVdc()
        const before = orders()
        yield* decide(order, "approve_by_provider")
        yield* write(resource, "set_backend_id", { backend_id: "100" })
        expect(marketplace.orders.get(order)?.state).toBe("executing")
        expect([orders() - before, resources()]).toEqual([0, 0])
        yield* decide(order, "set_state_done")
        expect([orders() - before, resources()]).toEqual([1, 0])
      })
  )
})
