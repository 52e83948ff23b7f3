/** What the page shows of orders and resources, and what operators do about them, end to end. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { makeSite, scenario } from "../support/agent.js"
import { show, until } from "./support.js"

describe("the page of a running agent", () => {
  scenario("shows an order step by step, the resource that it made, and how all is", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { client } = yield* show(site, agent)
      const made = yield* site.order.vdc("acme")

      const { rows, total } = yield* client.orders
        .list({ urlParams: {} })
        .pipe(until(({ rows }) => rows[0]?.state === "done"))
      expect(total).toBe(1)
      expect(rows[0]).toMatchObject({
        order: made.uuid,
        name: "acme",
        offeringName: "VDC",
        type: "Create",
        state: "done"
      })

      const order = yield* client.orders.order({ path: { order: made.uuid } })
      expect(order.next).toEqual({ what: "Nothing: it is done.", at: null })
      expect(order.marks.map(({ event }) => event)).toEqual(["accepted", "done"])
      const group = order.steps.find(({ name }) => name === "group")
      expect(group).toMatchObject({ status: "finished", result: "100", bars: [{ kind: "doing", outcome: "finished" }] })
      expect(group?.calls).toBeGreaterThan(0)
      expect(order.calls.filter(({ step }) => step === "group").map(({ call }) => call)).toContain("one.group.allocate")
      expect(order.callsMissing).toBe(false)
      expect(order.amounts).toContainEqual({ component: "cpu", name: "vCPU", unit: "cores", amount: 4 })
      expect(order.actions).toEqual([])

      const [row] = (yield* client.resources.list({ urlParams: { search: "ACM" } })).rows
      expect(row).toMatchObject({ name: "acme", life: "active", order: null })
      const path = { resource: row?.resource ?? "" }
      const resource = yield* client.resources.resource({ path })
      expect(resource.parts.map(({ key }) => key)).toContain("group 100")
      expect(resource.orders.map(({ order }) => order)).toEqual([made.uuid])
      const look = yield* client.resources.look({ path })
      expect(look).toMatchObject({ outcome: "looked", healthy: true })
      expect(look.parts.map(({ kind }) => kind).toSorted()).toEqual([
        "cluster",
        "group",
        "network",
        "router",
        "security group",
        "user",
        "vdc",
        "vm"
      ])
      expect(look.parts.find(({ kind }) => kind === "vm")).toMatchObject({ state: "Running", parent: "router 0" })
      expect(look.quotas.find(({ component }) => component === "cpu")).toMatchObject({ limit: 4 })

      const overview = yield* client.overview.overview()
      expect(overview).toMatchObject({
        troubles: [],
        orders: { executing: 0, doneToday: 1 },
        resources: 1,
        offerings: [
          { name: "VDC", state: "ok", ready: true },
          { name: "VM", state: "ok" }
        ]
      })
      expect(overview.systems.map(({ system }) => system)).toEqual(["opennebula", "waldur"])
      expect(overview.servers.map(({ breaker, system }) => [system, breaker])).toEqual([
        ["waldur", "closed"],
        ["opennebula", "closed"]
      ])
      const series = yield* client.overview.series({ urlParams: { span: "hour" } })
      expect(series.at.length).toBe(60)
      // Of the hour, not of the last minute: that may have begun after it was done.
      expect(series.orders.done.reduce<number>((sum, done) => sum + (done ?? 0), 0)).toBe(1)
      expect(yield* Effect.flip(client.orders.order({ path: { order: "0".repeat(32) } }))).toMatchObject({
        _tag: "Unknown"
      })
    })
  )
})
