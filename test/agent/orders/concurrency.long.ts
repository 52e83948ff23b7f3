/** Many resources at once, each on its own; one resource's orders one after the other; orders that others end in between. */
import { describe, expect } from "@effect/vitest"
import { Array, Deferred, Effect } from "effect"
import type { Activity } from "../../../src/runtime/activity.js"
import { afterCall, doubled, expectNothingLeft, makeSite, scenario, vdcLimits } from "../../support/agent.js"

const numbers = (count: number) => Array.makeBy(count, (index) => index + 1)
const all = { concurrency: "unbounded" } as const

const isEvent = (activity: Activity, order: string, event: string): boolean =>
  activity._tag === "Order" && activity.order === order && activity.event === event

describe("concurrency", () => {
  scenario("ten data centres that are ordered at once get ten different subnets", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({
        vdcSettings: { create_opennebula_user: false, security_group_defaults: [] }
      })
      const uuids = yield* Effect.forEach(numbers(10), (number) => site.place.vdc(`vdc-${number}`))
      const agent = yield* site.start()
      const orders = yield* Effect.forEach(uuids, (uuid) => site.marketplace.awaitOrderEnd(uuid), all)
      expect(orders.map(({ state }) => state)).toEqual(numbers(10).map(() => "done"))
      const subnets = orders.map(({ resource }) => resource.backendMetadata.subnet_cidr)
      expect(new Set(subnets).size).toBe(10)
      const groups = orders.map(({ resource }) => resource.backendId)
      expect(new Set(groups).size).toBe(10)
      const ended = yield* Effect.forEach(orders, ({ resource }) => site.order.terminate(resource.uuid), all)
      expect(ended.map(({ state }) => state)).toEqual(numbers(10).map(() => "done"))
      yield* expectNothingLeft(
        site,
        agent,
        numbers(10).map((number) => `vdc-${number} Terminated`)
      )
    })
  )

  scenario("twenty machines are made side by side", () =>
    Effect.gen(function* () {
      const hosts = [{ name: "large", cpuCores: 64, memoryMb: 65536 }]
      const site = yield* makeSite({ cloud: { initial: { hosts } } })
      const agent = yield* site.start()
      const limits = { ...vdcLimits, cpu: 100, ram: 102400, storage: 1024000 }
      const vdc = (yield* site.order.vdc("farm", { limits })).resource
      // Nobody gets a machine until ten have been ordered from the cloud: one after the other it would never come to that.
      const together = yield* Deferred.make<void>()
      let asked = 0
      site.cloud.intercept(({ method }) => {
        if (method !== "one.template.instantiate") return undefined
        asked += 1
        if (asked === 10) Deferred.unsafeDone(together, Effect.void)
        return { _tag: "Hold", when: "before", until: Deferred.await(together) }
      })
      const orders = yield* Effect.forEach(numbers(20), (number) => site.order.vm(`vm-${number}`, vdc.backendId), all)
      expect(orders.map(({ state }) => state)).toEqual(numbers(20).map(() => "done"))
      expect(new Set(orders.map(({ resource }) => resource.backendMetadata.ip_address)).size).toBe(20)
      yield* Effect.forEach(orders, ({ resource }) => site.order.terminate(resource.uuid), all)
      yield* site.order.terminate(vdc.uuid)
      yield* expectNothingLeft(site, agent, [
        "farm Terminated",
        ...numbers(20).map((number) => `vm-${number} Terminated`)
      ])
    })
  )

  scenario("two orders for one resource never overlap", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const { marketplace, place } = site
      const agent = yield* site.start()
      const vdc = (yield* site.order.vdc("busy")).resource
      yield* agent.stop
      // Waldur lets nobody place a second one; a race between its own tasks can still lead to two.
      const first = yield* place.updateLimits(vdc.uuid, doubled)
      const held = marketplace.orders.get(first)
      if (held === undefined) return yield* Effect.die("the order is not there")
      held.state = "erred"
      vdc.state = "OK"
      const second = yield* place.updateLimits(vdc.uuid, { ...doubled, cpu: 16 })
      held.state = "pending-provider"
      const again = yield* site.start()
      const ended = yield* Effect.forEach([first, second], marketplace.awaitOrderEnd, all)
      expect(ended.map(({ state }) => state)).toEqual(["done", "done"])
      yield* site.awaitActivity((activity) => isEvent(activity, second, "done"))
      const story = site.activities.flatMap((activity) =>
        [first, second].flatMap((uuid) =>
          ["accepted", "done"].flatMap((event) => (isEvent(activity, uuid, event) ? [[uuid, event]] : []))
        )
      )
      expect(story).toEqual([
        [first, "accepted"],
        [first, "done"],
        [second, "accepted"],
        [second, "done"]
      ])
      const quota = site.cloud.world.groups.get(Number(vdc.backendId)).quotas.VM[0]
      expect(quota?.limits.get("CPU")).toBe(16)
      yield* site.order.terminate(vdc.uuid)
      yield* expectNothingLeft(site, again, ["busy Terminated"])
    })
  )

  for (const state of ["canceled", "rejected", "erred"] as const)
    scenario(`an order that was ${state} by somebody else in between is undone`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const { marketplace } = site
        const agent = yield* site.start()
        const uuid = yield* site.place.vdc("withdrawn")
        yield* afterCall(site, ({ method }) => method === "one.vrouter.instantiate")
        const order = marketplace.orders.get(uuid)
        if (order === undefined) return yield* Effect.die("the order is not there")
        order.state = state
        order.resource.state = "Terminated"
        yield* site.awaitActivity((activity) => activity._tag === "Order" && activity.event === "erred")
        expect(order.state).toBe(state)
        yield* expectNothingLeft(site, agent, ["withdrawn Terminated"])
      })
    )
})
