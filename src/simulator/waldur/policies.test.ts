import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { field, stage } from "./testing/stage.js"

const doubled = { cpu: 8, ram: 8192, storage: 40960, floating_ip: 4 }

describe("a policy that blocks modifications", () => {
  it.scoped("lets neither the agent nor the customer change a resource, nor an order of it end", () =>
    Effect.gen(function* () {
      const { customer, decide, marketplace, orderVdc, world, write } = yield* stage()
      const { order, resource } = yield* orderVdc()
      yield* decide(order, "approve_by_provider")
      yield* TestClock.adjust("1 second")
      world.project.blocksModification = true
      const refused = {
        status: 400,
        json: [expect.stringMatching(/^Modification of new resources in this project is not/)]
      }
      const told = { error_message: "no", error_traceback: "" }
      expect(yield* write(resource, "set_backend_id", { backend_id: "7" })).toMatchObject(refused)
      expect(yield* write(resource, "set_backend_metadata", { backend_metadata: { a: 1 } })).toMatchObject(refused)
      expect(yield* write(resource, "set_limits", { limits: doubled })).toMatchObject(refused)
      expect(yield* decide(order, "set_state_done")).toMatchObject(refused)
      expect(yield* decide(order, "set_state_erred", told)).toMatchObject(refused)
      expect(marketplace.orders.get(order)).toMatchObject({ state: "executing", errorMessage: "" })
      expect(marketplace.resources.get(resource)).toMatchObject({ state: "Creating", backendId: "" })
      // What is as it was is saved, and what was used.
      expect((yield* write(resource, "set_backend_metadata", { backend_metadata: {} })).status).toBe(200)
      expect((yield* write(resource, "refresh_last_sync", {})).status).toBe(200)
      world.project.blocksModification = false
      expect((yield* decide(order, "set_state_done")).status).toBe(200)
      world.project.blocksModification = true
      const ended = yield* customer("POST", `marketplace-resources/${resource}/terminate/`, {})
      expect([ended.status, field(ended.json, "order_uuid")]).toEqual([400, ""])
    })
  )
})

describe("a policy of periodic usage", () => {
  it.scoped("keeps what is billed by limit as it is, and says nothing of it", () =>
    Effect.gen(function* () {
      const { decide, marketplace, orderVdc, world, write } = yield* stage()
      const { order, resource } = yield* orderVdc({ limits: { cpu: 4, ram: 4096, storage: 20480 } })
      yield* decide(order, "approve_by_provider")
      world.vdcOffering.hasPeriodicUsagePolicy = true
      expect((yield* write(resource, "set_limits", { limits: doubled })).status).toBe(200)
      expect(marketplace.resources.get(resource)?.limits).toEqual({ cpu: 4, ram: 4096, storage: 20480 })
    })
  )
})

describe("endpoints", () => {
  it.scoped("are those of schemes that Waldur shows", () =>
    Effect.gen(function* () {
      const { marketplace, orderVdc, write } = yield* stage()
      const { resource } = yield* orderVdc()
      const page = { name: "page", url: "https://here.example/" }
      const put = (...endpoints: ReadonlyArray<object>) => write(resource, "set_endpoints", { endpoints })
      expect(yield* put(page, { name: "base", url: "postgres://here.example/base" })).toMatchObject({
        status: 400,
        json: { endpoints: [{}, { url: ["Enter a valid URL."] }] }
      })
      expect((yield* put(page, { name: "shell", url: "ssh://10.0.0.7:22" })).status).toBe(200)
      expect(marketplace.resources.get(resource)?.endpoints.map(({ name }) => name)).toEqual(["page", "shell"])
    })
  )
})
