/** What passes by itself: orders stay executing for as long as it lasts, then end as done, and nothing is made twice. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import type { Disturbance } from "../../../src/simulator/opennebula/index.js"
import { fault } from "../../../src/simulator/waldur/index.js"
import { doubled, expectNothingLeft, kinds, makeSite, type Site, scenario, vdcObjects } from "../../support/agent.js"

/** Disturbs the first call of each of these methods. */
const disturbOnce = ({ cloud }: Site, disturbances: Readonly<Record<string, Disturbance>>) => {
  const left = new Map(Object.entries(disturbances))
  cloud.intercept(({ method }) => {
    const disturbance = left.get(method)
    left.delete(method)
    return disturbance
  })
  return { left: () => [...left.keys()] }
}

const retrying = (activity: { readonly _tag: string; readonly event?: string }) =>
  activity._tag === "Order" && activity.event === "retrying"

describe.concurrent("transient faults", () => {
  scenario("answers of OpenNebula that are lost after the call was carried out make nothing twice", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const lost: Disturbance = { _tag: "Drop", when: "after" }
      const { left } = disturbOnce(site, {
        "one.group.allocate": lost,
        "one.vdc.allocate": lost,
        "one.vn.allocate": lost,
        "one.secgroup.allocate": lost,
        "one.vrouter.instantiate": { _tag: "HttpError", when: "after", status: 500 },
        "one.acl.addrule": lost,
        "one.group.quota": { _tag: "Garbage", when: "after", body: "<html>Bad gateway" },
        "one.vrouter.delete": lost,
        "one.group.delete": lost
      })
      const { resource, ...order } = yield* site.order.vdc("lossy")
      expect(order).toMatchObject({ state: "done", errorMessage: "" })
      expect(kinds(site.made())).toEqual(vdcObjects)
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      expect(left()).toEqual([])
      expect(site.activities.some(retrying)).toBe(true)
      yield* expectNothingLeft(site, agent, ["lossy Terminated"])
    })
  )

  scenario("Waldur's own failures are waited out at every call", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ marketplace: { race: true } })
      const { marketplace } = site
      marketplace.intercept(({ method, path, earlier }) => {
        if (/approve_by_provider|set_backend_metadata/.test(path) && earlier === 0) return fault.dropAnswer
        if (/set_backend_id|set_limits/.test(path) && earlier < 2) return fault.status(500)
        if (/set_state_done/.test(path) && earlier < 5) return earlier % 2 === 0 ? fault.dropAnswer : fault.status(503)
        // Looking at the queue and at orders: every third time.
        return method === "GET" && earlier % 3 === 0 ? fault.status(502) : undefined
      })
      const agent = yield* site.start()
      const { resource, ...order } = yield* site.order.vdc("shaky")
      expect(order).toMatchObject({ state: "done", errorMessage: "" })
      expect(kinds(site.made())).toEqual(vdcObjects)
      expect((yield* site.order.updateLimits(resource.uuid, doubled)).state).toBe("done")
      expect(resource).toMatchObject({ state: "OK", backendId: "100", limits: doubled })
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["shaky Terminated"])
    })
  )

  scenario("an order stays executing while OpenNebula is away, and goes on when it is back", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { cloud } = site
      let calls = 0
      cloud.intercept(({ method }) => {
        calls += 1
        return calls > 8 || method === "one.vrouter.instantiate" ? { _tag: "Drop", when: "before" } : undefined
      })
      const uuid = yield* site.place.vdc("patient")
      yield* site.awaitActivity(retrying)
      expect(site.marketplace.orders.get(uuid)?.state).toBe("executing")
      cloud.intercept(undefined)
      const { resource, state } = yield* site.marketplace.awaitOrderEnd(uuid)
      expect(state).toBe("done")
      expect(kinds(site.made())).toEqual(vdcObjects)
      yield* site.order.terminate(resource.uuid)
      yield* expectNothingLeft(site, agent, ["patient Terminated"])
    })
  )

  scenario("wrong OpenNebula credentials stop their offering alone, fail no order, and mend by themselves", () =>
    Effect.gen(function* () {
      const setPassword = (site: Site, password: string) => {
        const id = site.cloud.world.users.byName("vdc-agent")?.id ?? -1
        return site.cloud.call("one.user.passwd", [id, password])
      }
      const site = yield* makeSite({
        vdcSettings: { credentials: "vdc-agent:first" },
        prepare: (cloud) => cloud.call("one.user.allocate", ["vdc-agent", "first", "core", [0]])
      })
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("parent")).resource
      expect(vdc.state).toBe("OK")

      yield* setPassword(site, "changed")
      const update = yield* site.place.updateLimits(vdc.uuid, doubled)
      const create = yield* site.place.vdc("waits")
      // The one that comes first stops the offering; the other may be taken before that, or wait in Waldur.
      yield* site.awaitActivity(retrying)
      const vm = yield* site.order.vm("goes-on", vdc.backendId)
      expect(vm).toMatchObject({ state: "done", errorMessage: "" })
      const states = [update, create].map((uuid) => site.marketplace.orders.get(uuid)?.state)
      expect(states).toContain("executing")
      for (const state of states) expect(["executing", "pending-provider"]).toContain(state)

      yield* setPassword(site, "first")
      expect((yield* site.marketplace.awaitOrderEnd(update)).state).toBe("done")
      const created = yield* site.marketplace.awaitOrderEnd(create)
      expect(created.state).toBe("done")
      yield* site.order.terminate(vm.resource.uuid)
      yield* Effect.all([site.order.terminate(vdc.uuid), site.order.terminate(created.resource.uuid)], {
        concurrency: "unbounded"
      })
      yield* expectNothingLeft(site, agent, ["parent Terminated", "waits Terminated", "goes-on Terminated"])
    })
  )

  scenario("a wrong Waldur token at the start closes its offering alone, until the token is good", () =>
    Effect.gen(function* () {
      const token = "b".repeat(40)
      const site = yield* makeSite({ vmOffering: { waldur_api_token: token } })
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("served")).resource
      expect(vdc.state).toBe("OK")
      yield* site.awaitActivity((activity) => activity._tag === "Offering" && activity.event === "closed")

      const uuid = yield* site.place.vm("late", vdc.backendId)
      const { marketplace, world } = site
      const user = marketplace.addUser({ username: "second-agent", token })
      marketplace.addCustomerRole(user, world.vmOffering.customer, "CUSTOMER.OWNER")
      expect(marketplace.orders.get(uuid)?.state).toBe("pending-provider")
      const vm = yield* marketplace.awaitOrderEnd(uuid)
      expect(vm).toMatchObject({ state: "done", errorMessage: "" })
      yield* site.order.terminate(vm.resource.uuid)
      yield* site.order.terminate(vdc.uuid)
      yield* expectNothingLeft(site, agent, ["served Terminated", "late Terminated"])
    })
  )
})
