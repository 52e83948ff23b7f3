import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { ask, field, limits, origin, stage } from "./testing/stage.js"

describe("the race after approve", () => {
  it.scoped("loses a backend id that is set at once, although it was answered with 200", () =>
    Effect.gen(function* () {
      const { marketplace, orderVdc, decide, write } = yield* stage({ race: true })
      const { order, resource } = yield* orderVdc()
      yield* decide(order, "approve_by_provider")
      expect((yield* write(resource, "set_backend_id", { backend_id: "105" })).status).toBe(200)
      expect(marketplace.resources.get(resource)?.backendId).toBe("105")
      yield* TestClock.adjust("1 second")
      expect(marketplace.resources.get(resource)?.backendId).toBe("")
    })
  )

  it.scoped("spares whoever waits until the order is executing", () =>
    Effect.gen(function* () {
      const { marketplace, orderVdc, decide, write } = yield* stage({ race: true })
      const { order, resource } = yield* orderVdc()
      yield* decide(order, "approve_by_provider")
      expect(marketplace.orders.get(order)?.state).toBe("pending-provider")
      expect((yield* decide(order, "approve_by_provider")).status).toBe(409)
      yield* TestClock.adjust("1 second")
      expect(marketplace.orders.get(order)?.state).toBe("executing")
      yield* write(resource, "set_backend_id", { backend_id: "105" })
      yield* TestClock.adjust("1 minute")
      expect(marketplace.resources.get(resource)?.backendId).toBe("105")
    })
  )

  it.scoped("shows its end on the older server by a filled resource_uuid", () =>
    Effect.gen(function* () {
      const { agent, orderVdc, decide } = yield* stage({ generation: "2024", race: true })
      const { order } = yield* orderVdc()
      yield* decide(order, "approve_by_provider")
      const before = yield* agent("GET", `marketplace-orders/${order}/`)
      expect(field(before.json, "state")).toBe("executing")
      expect(field(before.json, "resource_uuid")).toBe("")
      yield* TestClock.adjust("1 second")
      const after = yield* agent("GET", `marketplace-orders/${order}/`)
      expect(field(after.json, "resource_uuid")).toMatch(/^[0-9a-f]{32}$/)
    })
  )
})

describe("a plan switch", () => {
  it.scoped("completes by itself on the older server and waits for the agent on the current one", () =>
    Effect.gen(function* () {
      const older = yield* stage({ generation: "2024" })
      const olderOrder = yield* older.toMedium(yield* older.runningVm)
      yield* older.decide(olderOrder, "approve_by_provider")
      yield* TestClock.adjust("1 second")
      expect(older.marketplace.orders.get(olderOrder)?.state).toBe("done")
      expect((yield* older.decide(olderOrder, "set_state_done")).status).toBe(409)

      const current = yield* stage()
      const resource = yield* current.runningVm
      const order = yield* current.toMedium(resource)
      yield* current.decide(order, "approve_by_provider")
      yield* TestClock.adjust("1 second")
      expect(current.marketplace.orders.get(order)?.state).toBe("executing")
      expect(current.marketplace.resources.get(resource)?.plan?.name).toBe("Small")
      expect((yield* current.decide(order, "set_state_done")).status).toBe(200)
      expect(current.marketplace.resources.get(resource)?.plan?.name).toBe("Medium")
    })
  )

  it.scoped("can never be finished on the older server once limits of fixed components were set", () =>
    Effect.gen(function* () {
      const { marketplace, agent, decide, runningVm, toMedium } = yield* stage({ generation: "2024" })
      const resource = yield* runningVm
      const set = yield* agent("POST", `marketplace-slurm-remote/${resource}/set_limits/`, { vcpu: 1 })
      expect(set.status).toBe(200)
      const order = yield* toMedium(resource)
      yield* decide(order, "approve_by_provider")
      yield* TestClock.adjust("1 second")
      expect((yield* decide(order, "set_state_done")).status).toBe(500)
      expect(marketplace.orders.get(order)?.state).toBe("executing")
      expect(marketplace.orders.get(order)?.limits).toEqual({ vcpu: 1 })
    })
  )
})

describe("an order", () => {
  it.scoped("that is pending stays so when it is called erred, but at today's, and its resource is Erred", () =>
    Effect.gen(function* () {
      for (const [published, state] of [
        [false, "pending-provider"],
        [true, "erred"]
      ] as const) {
        const { marketplace, orderVm, decide, write } = yield* stage({ published })
        const { order, resource } = yield* orderVm
        yield* write(resource, "set_backend_id", { backend_id: "42" })
        yield* decide(order, "set_state_erred", { error_message: "no", error_traceback: "" })
        expect(marketplace.orders.get(order)?.state).toBe(state)
        expect(marketplace.resources.get(resource)?.state).toBe("Erred")
      }
    })
  )

  it.scoped("waits for its start date once it is approved, and executes from then on", () =>
    Effect.gen(function* () {
      const { marketplace, orderVdc, decide } = yield* stage()
      const { order } = yield* orderVdc({ start_date: "1970-01-03" })
      expect(marketplace.orders.get(order)?.state).toBe("pending-provider")
      yield* decide(order, "approve_by_provider")
      expect(marketplace.orders.get(order)?.state).toBe("pending-start-date")
      yield* TestClock.adjust("2 days")
      expect(marketplace.orders.get(order)?.state).toBe("executing")
    })
  )

  it.scoped("can be awaited to its end", () =>
    Effect.gen(function* () {
      const { marketplace, orderVdc, decide } = yield* stage()
      const { order } = yield* orderVdc()
      const end = yield* Effect.fork(marketplace.awaitOrderEnd(order))
      yield* decide(order, "reject_by_provider", { provider_rejection_comment: "full" })
      const ended = yield* end
      expect([ended.state, ended.rejectionComment]).toEqual(["rejected", "full"])
    })
  )

  it.scoped("brings a terminated resource back where the API has it", () =>
    Effect.gen(function* () {
      const { marketplace, customer, decide, runningVm, world } = yield* stage()
      const resource = yield* runningVm
      const ended = () => customer("POST", `marketplace-resources/${resource}/terminate/`, {})
      const restored = () =>
        ask(marketplace, `Token ${world.staffToken}`, "POST", `marketplace-resources/${resource}/restore/`, {})
      for (const action of ["terminate", "restore"]) {
        if (action === "restore") {
          expect(yield* restored()).toMatchObject({ status: 400, json: [expect.stringContaining("not supported")] })
          Object.assign(world.vmOffering.pluginOptions, { can_restore_resource: true })
          const byCustomer = yield* customer("POST", `marketplace-resources/${resource}/restore/`, {})
          expect(byCustomer.status).toBe(403)
        }
        const order = field((yield* action === "terminate" ? ended() : restored()).json, "order_uuid")
        yield* decide(order, "approve_by_provider")
        expect((yield* decide(order, "set_state_done")).status).toBe(200)
        expect(marketplace.resources.get(resource)?.state).toBe(action === "terminate" ? "Terminated" : "OK")
      }
    })
  )

  it.scoped("whose create failed before anything was there is done only if its resource is taken up as well", () =>
    Effect.gen(function* () {
      for (const [atomic, again, inWork, end] of [
        [true, "set_state_executing", [200, "executing", "Terminated"], [500, "executing", "Terminated"]],
        [false, "set_state_executing", [200, "executing", "Terminated"], [500, "done", "Terminated"]],
        [true, "retry", [200, "executing", "Creating"], [200, "done", "OK"]]
      ] as const) {
        const { marketplace, orderVdc, decide } = yield* stage({ atomic })
        const { order, resource } = yield* orderVdc()
        const moved = (action: string) =>
          Effect.map(decide(order, action), ({ status }) => [
            status,
            marketplace.orders.get(order)?.state,
            marketplace.resources.get(resource)?.state
          ])
        yield* decide(order, "approve_by_provider")
        expect(yield* moved("set_state_erred")).toEqual([200, "erred", "Terminated"])
        expect(yield* moved(again)).toEqual(inWork)
        expect(yield* moved("set_state_done")).toEqual(end)
      }
    })
  )
})

describe("the provider's calls", () => {
  it.scoped("store an unknown limit unchecked, but not today's", () =>
    Effect.gen(function* () {
      const { marketplace, orderVdc, write } = yield* stage({ published: false })
      const { resource } = yield* orderVdc()
      expect((yield* write(resource, "set_limits", { limits: { nonsense: "abc" } })).status).toBe(200)
      expect(marketplace.resources.get(resource)?.limits).toEqual({ nonsense: "abc" })
      const today = yield* stage()
      expect(
        yield* today.write((yield* today.orderVdc()).resource, "set_limits", { limits: { cpu: 1, nonsense: 2 } })
      ).toMatchObject({ status: 400, json: { limits: "Unknown component types: nonsense" } })
    })
  )

  it.scoped("give a resource a backend id by the offering's rules, whatever it had before", () =>
    Effect.gen(function* () {
      const { orderVdc, orderVm, world, write } = yield* stage()
      const give = (resource: string, backend_id: string) =>
        Effect.map(write(resource, "set_backend_id", { backend_id }), ({ json }) => json)
      const [one, other, vm] = [(yield* orderVdc()).resource, (yield* orderVdc()).resource, (yield* orderVm).resource]
      const changed = { status: "Resource backend_id has been changed." }
      const inUse = { backend_id: "This backend_id is already in use." }
      expect([yield* give(one, "7"), yield* give(one, "100")]).toEqual([changed, changed])
      expect([yield* give(other, "100"), yield* give(vm, "100")]).toEqual([changed, changed])
      world.vdcOffering.backendIdRules = { format: { regex: "[0-9]+" }, uniqueness: { scope: "offering" } }
      world.vmOffering.backendIdRules = { uniqueness: { scope: "service_provider", include_terminated: false } }
      expect([yield* give(other, "7"), yield* give(other, "100")]).toEqual([changed, inUse])
      expect(yield* give(other, "x")).toEqual({ backend_id: "Invalid format. Must match pattern: [0-9]+" })
      expect([yield* give(vm, "7"), yield* give(vm, "")]).toEqual([inUse, changed])
    })
  )

  it.scoped("take no order away that is approved, and nothing from a resource that has ended to OK", () =>
    Effect.gen(function* () {
      const { customer, decide, marketplace, orderVdc, write } = yield* stage()
      const { order, resource } = yield* orderVdc()
      yield* decide(order, "approve_by_provider")
      yield* decide(order, "set_state_erred", { error_message: "", error_traceback: "" })
      expect((yield* customer("DELETE", `marketplace-orders/${order}/`)).status).toBe(409)
      expect(marketplace.resources.get(resource)?.state).toBe("Terminated")
      expect((yield* write(resource, "set_as_ok", {})).status).toBe(500)
      const pending = yield* orderVdc()
      expect((yield* customer("DELETE", `marketplace-orders/${pending.order}/`)).status).toBe(204)
    })
  )

  it.scoped("read SSH keys page by page", () =>
    Effect.gen(function* () {
      const { marketplace, world, agent } = yield* stage()
      const user = marketplace.addUser({ username: "many" })
      for (let index = 0; index < 24; index++)
        marketplace.addSshKey({ user, name: `key-${index}`, publicKey: "ssh-ed25519 AAAA" })
      const customer = world.vdcOffering.customer.uuid
      const providers = yield* agent("GET", `marketplace-service-providers/?customer_uuid=${customer}`)
      const provider: unknown = Array.isArray(providers.json) ? providers.json[0] : undefined
      const address = `marketplace-service-providers/${field(provider, "uuid")}/keys/`
      expect((yield* agent("GET", `marketplace-service-providers/${customer}/keys/`)).status).toBe(404)
      const first = yield* agent("GET", address)
      expect(first.headers["X-Result-Count"]).toBe("25")
      expect(first.headers.Link).toContain(`<${origin}/api/${address}?page=3>; rel="last"`)
      expect(first.json).toHaveLength(10)
      expect((yield* agent("GET", `${address}?page=3`)).json).toHaveLength(5)
      expect((yield* agent("GET", `${address}?page=4`)).status).toBe(404)
      expect((yield* agent("GET", `${address}?page_size=300`)).json).toHaveLength(25)
    })
  )

  it.scoped("report usage, which a later report of the month replaces, also downwards", () =>
    Effect.gen(function* () {
      const { agent, marketplace, orderVdc } = yield* stage()
      const { resource } = yield* orderVdc()
      yield* TestClock.setTime(Date.parse("2026-11-20T10:00:00Z"))
      const report = (amount: number, type = "cpu", date = "2026-11-20T10:00:00Z") =>
        agent("POST", "marketplace-component-usages/set_usage/", { resource, date, usages: [{ type, amount }] })
      const made = marketplace.world.resources.get(String(resource))
      expect(made?.state).toBe("Creating")
      // As Waldur's own tests have it: not of what is being made or has ended, and not of what has no usage.
      expect(yield* report(1)).toMatchObject({ status: 400, json: { resource: ["Resource is not in valid state."] } })
      if (made !== undefined) made.state = "OK"
      expect(yield* report(1, "traffic")).toMatchObject({
        status: 400,
        json: { non_field_errors: ["These components are invalid: traffic."] }
      })
      expect(yield* report(1, "cpu", "2026-11-20T10:00:01Z")).toMatchObject({
        status: 400,
        json: { date: [expect.stringContaining("future")] }
      })
      expect((yield* report(0.125)).status).toBe(400)
      for (const amount of [5, 3.25]) yield* report(amount)
      const query = `resource_uuid=${resource}&billing_period=2026-11-01&field=type&field=usage`
      const listed = yield* agent("GET", `marketplace-component-usages/?${query}`)
      expect(listed.json).toEqual([{ type: "cpu", usage: "3.25" }])
    })
  )

  it.scoped("are unknown to an older server as far as they are newer", () =>
    Effect.gen(function* () {
      const { orderVdc, write, decide } = yield* stage({ generation: "2024" })
      const { order, resource } = yield* orderVdc()
      expect((yield* write(resource, "set_limits", { limits })).status).toBe(404)
      expect((yield* decide(order, "set_backend_id", { backend_id: "1" })).status).toBe(404)
    })
  )
})

/** Without one of these a client that is made from the published API refuses the whole answer, as the Python agent 1.0.7 did. */
describe("the published API's required fields", () => {
  it.scoped("are in what an agent says of itself", () =>
    Effect.gen(function* () {
      const { agent, world } = yield* stage()
      const identities = "marketplace-site-agent-identities/"
      const identity = yield* agent("POST", identities, { offering: world.vdcOffering.uuid, name: "agent" })
      expect(identity.json).toHaveProperty("created_by")
      expect(identity.json).toHaveProperty("modified")
      expect(identity.json).toMatchObject({ services: [] })
      const registered = yield* agent("POST", `${identities}${field(identity.json, "uuid")}/register_service/`, {
        name: "order_process",
        mode: "order_process"
      })
      expect(registered.json).toMatchObject({ identity_name: "agent", processors: [] })
      const service = field(registered.json, "uuid")
      const processor = yield* agent("POST", `marketplace-site-agent-services/${service}/register_processor/`, {
        name: "OfferingOrderProcessor",
        backend_type: "opennebula"
      })
      expect(processor.json).toMatchObject({ service, service_name: "order_process" })
      yield* TestClock.adjust("1 second")
      const put = yield* agent("PUT", `${identities}${field(identity.json, "uuid")}/`, {
        name: "agent",
        offering: world.vdcOffering.uuid,
        version: "2"
      })
      expect(put.json).toMatchObject({ services: [{ uuid: service, name: "order_process" }] })
      expect(field(put.json, "modified") > field(put.json, "created")).toBe(true)
    })
  )

  it.scoped("are in resources, plans and teams", () =>
    Effect.gen(function* () {
      const { agent, orderVm, world } = yield* stage()
      const { resource } = yield* orderVm
      const read = yield* agent("GET", `marketplace-provider-resources/${resource}/`)
      expect(read.json).toMatchObject({ limit_usage: {} })
      expect(Date.parse(field(read.json, "last_sync"))).not.toBeNaN()
      const plan = yield* agent("GET", `marketplace-plans/${world.plans.small.uuid}/`)
      expect(plan.json).toMatchObject({
        components: [
          { type: "vcpu", amount: 1 },
          { type: "vm_ram", amount: 512 },
          { type: "vm_disk", amount: 2048 }
        ]
      })
      const team = yield* agent("GET", `marketplace-provider-resources/${resource}/team/`)
      expect(team.json).toMatchObject([{ offering_user_state: null }, { offering_user_state: null }])
    })
  )

  it.scoped("have lists, empty here, that the Python agent asks for at each create and each look at members", () =>
    Effect.gen(function* () {
      const { agent, world } = yield* stage()
      const offering = `marketplace-provider-offerings/${world.vdcOffering.uuid}`
      for (const list of [
        `${offering}/list_project_service_accounts/`,
        `${offering}/list_course_accounts/`,
        "component-user-usage-limits/"
      ])
        expect(yield* agent("GET", list)).toMatchObject({ status: 200, json: [] })
      const exposed = yield* agent("GET", `${offering}/user-attribute-config/`)
      expect(exposed.json).toMatchObject({ is_default: true, offering_uuid: world.vdcOffering.uuid })
    })
  )
})

describe("credentials", () => {
  it.scoped("by OIDC are good for five minutes", () =>
    Effect.gen(function* () {
      const { marketplace } = yield* stage()
      const reply = yield* marketplace.handle({
        method: "POST",
        path: "/oidc/token",
        query: new URLSearchParams(),
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "grant_type=client_credentials&client_id=site-agent&client_secret=site-agent-secret",
        origin
      })
      const body = reply._tag === "Answer" && reply.answer.body !== undefined ? reply.answer.body : {}
      const token = field("json" in body ? body.json : undefined, "access_token")
      expect((yield* ask(marketplace, `Bearer ${token}`, "GET", "users/me/")).status).toBe(200)
      yield* TestClock.adjust("6 minutes")
      expect((yield* ask(marketplace, `Bearer ${token}`, "GET", "users/me/")).status).toBe(401)
    })
  )
})

it.scoped("the same seed makes the same uuids", () =>
  Effect.gen(function* () {
    const one = yield* (yield* stage()).orderVdc()
    const other = yield* (yield* stage()).orderVdc()
    const third = yield* (yield* stage({ seed: 8 })).orderVdc()
    expect(one).toEqual(other)
    expect(one).not.toEqual(third)
  })
)
