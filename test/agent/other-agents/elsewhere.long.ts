/** Orders whose offering has another backend or another server by now than the one that they were begun with. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as OpenNebula from "../../../src/simulator/opennebula/index.js"
import * as Waldur from "../../../src/simulator/waldur/index.js"
import { show, until } from "../../page/support.js"
import {
  afterCall,
  away,
  doubled,
  expectNothingLeft,
  makeSite,
  resourceStates,
  type Site,
  scenario,
  untilSettled
} from "../../support/agent.js"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null
/** A data centre's order that rests in the middle of it: its network is there, its router cannot be made. The agent has been stopped since. */
const inTheMiddle = (site: Site) =>
  Effect.gen(function* () {
    const agent = yield* site.start()
    site.cloud.intercept(({ method }) => (method === "one.vrouter.allocate" ? away : undefined))
    const order = yield* site.place.vdc("moved")
    yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes("one.vrouter.allocate"))
    yield* agent.stop
    site.cloud.intercept(undefined)
    return order
  })

/** The configuration with another front-end. */
const atAnother = (site: Site) =>
  Effect.gen(function* () {
    const other = yield* OpenNebula.serve({ port: 0, bootTime: 30 })
    return yield* site.changed((offerings) =>
      offerings.map((offering) => ({
        ...offering,
        backend_settings: {
          ...(typeof offering.backend_settings === "object" ? offering.backend_settings : {}),
          api_url: other.url,
          credentials: other.frontEnd.session
        }
      }))
    )
  })

describe("an order that was begun at another front-end", () => {
  scenario("and cancelled while that was there, and away, can be given up once more", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const order = yield* inTheMiddle(site)
      const made = site.made()
      const action = { kind: "cancel" as const, order, reason: "" }
      site.cloud.intercept(() => away)
      const first = yield* site.start()
      const atHome = yield* show(site, first)
      yield* atHome.client.orders.order({ path: { order } }).pipe(until(({ state }) => state === "waits"))
      expect(yield* atHome.client.actions.perform({ payload: action })).toMatchObject({ ok: true })
      expect(yield* atHome.client.actions.preview({ payload: action })).toMatchObject({
        impossible: expect.stringContaining("has cancelled it already")
      })
      yield* first.stop
      site.cloud.intercept(undefined)

      const elsewhere = yield* atAnother(site)
      const agent = yield* site.start("agent", elsewhere)
      const { client } = yield* show(site, agent, { using: elsewhere })
      // Before that somebody wanted it undone, which it cannot be here.
      yield* site.awaitLogged((line) => line.includes("Waits: It was begun at ") && line.includes("cancel the order"))
      const { actions } = yield* client.orders
        .order({ path: { order } })
        .pipe(until(({ marks }) => marks.some(({ event }) => event === "elsewhere")))
      expect(actions).toContain("cancel")
      expect(yield* client.actions.preview({ payload: action })).toMatchObject({ impossible: null })
      expect(yield* client.actions.perform({ payload: action })).toMatchObject({ ok: true })
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("erred")
      expect(site.made()).toEqual(made)
      yield* agent.stop
    })
  )

  scenario(
    "waits, and is ended by an operator where that is gone for good: what it made stays on the list, until that is back",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const order = yield* inTheMiddle(site)
        const made = site.made()
        const elsewhere = yield* atAnother(site)
        const agent = yield* site.start("agent", elsewhere)
        const { client } = yield* show(site, agent, { using: elsewhere })
        yield* site.awaitLogged((line) => line.includes("Waits: It was begun at "))
        expect(site.marketplace.orders.get(order)?.state).toBe("executing")

        const action = { kind: "cancel" as const, order, reason: "" }
        expect(yield* client.actions.perform({ payload: action })).toMatchObject({ ok: true })
        const ended = yield* site.marketplace.awaitOrderEnd(order)
        expect([ended.state, ended.errorMessage]).toEqual(["erred", "The provider has cancelled the order."])
        expect(site.made()).toEqual(made)
        const left = yield* client.orders.order({ path: { order } }).pipe(until(({ state }) => state === "erred"))
        expect(left.leftovers.map(({ step }) => step)).toEqual(expect.arrayContaining(["group", "network", "subnet"]))
        // Nor is it undone there later.
        expect(yield* client.actions.perform({ payload: { kind: "remove-leftovers", order } })).toMatchObject({
          ok: false
        })
        expect(site.made()).toEqual(made)
        yield* agent.stop

        const back = yield* site.start()
        const again = yield* show(site, back)
        // Its offering may not be open yet.
        yield* again.client.actions
          .perform({ payload: { kind: "remove-leftovers", order } })
          .pipe(until(({ ok }) => ok))
        yield* expectNothingLeft(site, back, ["moved Terminated"])
      })
  )
})

describe("what was made at another front-end", () => {
  /** A data centre, and the agent started again with the offerings at that address. */
  const madeThenMoved = (site: Site, at: (url: string) => string, session?: string) =>
    Effect.gen(function* () {
      const first = yield* site.start()
      const { resource } = yield* site.order.vdc("moved")
      yield* untilSettled(first)
      yield* first.stop
      const moved = yield* site.changed((offerings) =>
        offerings.map((offering) => {
          const settings: Readonly<Record<string, unknown>> = isRecord(offering.backend_settings)
            ? offering.backend_settings
            : {}
          const api_url = at(String(settings.api_url))
          const own = { ...settings, api_url, ...(session === undefined ? {} : { credentials: session }) }
          return { ...offering, backend_settings: own }
        })
      )
      return { resource, moved, agent: yield* site.start("agent", moved) }
    })

  scenario("is not ended there: the order waits and says so, and is done when the offering is back", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const other = yield* OpenNebula.serve({ port: 0, bootTime: 30 })
      const { agent, moved, resource } = yield* madeThenMoved(site, () => other.url, other.frontEnd.session)
      const made = site.made()
      const { client } = yield* show(site, agent, { using: moved })
      const cancelled = yield* site.place.terminate(resource.uuid)
      yield* site.awaitLogged(
        (line) =>
          line.includes("Waits: Its resource was made at ") && line.includes("have the resource removed in Waldur")
      )
      expect(site.marketplace.orders.get(cancelled)?.state).toBe("pending-provider")
      const action = { kind: "cancel" as const, order: cancelled, reason: "" }
      expect(yield* client.actions.perform({ payload: action })).toMatchObject({ ok: true })
      expect((yield* site.marketplace.awaitOrderEnd(cancelled)).state).toBe("erred")
      expect([resource.state, site.made()]).toEqual(["OK", made])

      const waits = site.logged.filter((line) => line.includes("Waits: Its resource was made at ")).length
      const order = yield* site.place.terminate(resource.uuid)
      yield* site.awaitLogged((line) => line.includes("Waits: Its resource was made at "), waits + 1)
      yield* agent.stop
      expect(site.made()).toEqual(made)

      const back = yield* site.start()
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      yield* expectNothingLeft(site, back, ["moved Terminated"])
    })
  )

  scenario("is not changed at what has its number there: an update waits, and is done when the offering is back", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const other = yield* OpenNebula.serve({ port: 0, bootTime: 30 })
      yield* other.frontEnd.call("one.group.allocate", ["somebody"])
      const { agent, resource } = yield* madeThenMoved(site, () => other.url, other.frontEnd.session)
      expect([...other.frontEnd.world.groups].map(({ id }) => String(id))).toContain(resource.backendId)
      const order = yield* site.place.updateLimits(resource.uuid, doubled)
      yield* site.awaitLogged((line) => line.includes("Waits: Its resource was made at "))
      expect(site.marketplace.orders.get(order)?.state).toBe("pending-provider")
      expect(other.frontEnd.calls.filter(({ method }) => /quota|update/.test(method))).toEqual([])
      yield* agent.stop

      yield* site.start()
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      expect(resource.limits).toEqual(doubled)
    })
  )

  scenario("is ended where that is the same one, by another name", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const { agent, resource } = yield* madeThenMoved(site, (url) => url.replace("127.0.0.1", "localhost"))
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["moved Terminated"])
    })
  )
})

describe("an order that was begun by another backend", () => {
  scenario("waits, and goes on when the offering has that again", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const first = yield* site.start()
      yield* site.order.vdc("acme")
      const parent = [...site.marketplace.resources.values()].find(({ name }) => name === "acme")?.backendId ?? ""
      const come = yield* Effect.fork(afterCall(site, ({ method }) => method === "one.template.instantiate"))
      site.cloud.intercept(({ method }) => (method === "one.vm.action" ? away : undefined))
      const order = yield* site.place.vm("web", parent)
      yield* come
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes("one.vm.action"))
      yield* first.stop
      site.cloud.intercept(undefined)
      const before = site.made()
      const otherwise = yield* site.changed((offerings) =>
        offerings.map((offering) => ({
          ...offering,
          ...(offering.name === "VM" ? { backend_settings: offerings[0]?.backend_settings } : {})
        }))
      )
      const agent = yield* site.start("agent", otherwise)
      yield* site.awaitLogged((line) =>
        line.includes("Waits: It was begun by the backend opennebula-vm, and its offering has opennebula-vdc now.")
      )
      expect([site.made(), site.marketplace.orders.get(order)?.state]).toEqual([before, "executing"])
      yield* agent.stop

      yield* site.start()
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      expect(resourceStates(site)).toEqual(["acme OK", "web OK"])
    })
  )
})

describe("an order whose resource Waldur has put under another offering", () => {
  scenario("is carried out by the one that it was begun for", () =>
    Effect.gen(function* () {
      const second = "0ffe0000000040000000000000000009"
      const other = yield* OpenNebula.serve({ port: 0, bootTime: 30 })
      const site = yield* makeSite({
        offerings: ({ marketplace, world }) => {
          const { components, customer } = world.vdcOffering
          // Else Waldur takes no limits of the resource there.
          const same = components.map(({ accountingType, type }) => ({ accountingType, type }))
          marketplace.addOffering({ customer, name: "Second", uuid: second, components: same })
          return [
            {
              name: "Second",
              waldur_offering_uuid: second,
              backend_settings: {
                resource_type: "vdc",
                api_url: other.url,
                credentials: other.frontEnd.session,
                cluster_ids: [0],
                external_network_id: 0,
                virtual_router_template_id: 1
              }
            }
          ]
        }
      })
      const order = yield* inTheMiddle(site)
      const moved = site.marketplace.orders.get(order)?.resource
      if (moved === undefined) return expect.unreachable()
      Object.assign(moved, { offering: site.marketplace.world.offerings.get(second) })
      // It is found in the other's queue first.
      site.marketplace.intercept(({ path, query }) =>
        path === "/api/marketplace-orders/" && query.includes(site.world.vdcOffering.uuid)
          ? Waldur.fault.delay("1500 millis")
          : undefined
      )
      const agent = yield* site.start()
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      expect([...other.frontEnd.world.vdcs].map(({ name }) => name)).toEqual(["default"])
      expect(site.made().some((one) => one.startsWith("vdc "))).toBe(true)
      yield* agent.stop
    })
  )
})
