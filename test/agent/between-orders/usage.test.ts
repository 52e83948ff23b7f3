/** Usage reports of the whole agent, over HTTP: what is read, what is sent, and what is not sent twice. */
import { describe, expect } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { fault } from "../../../src/simulator/waldur/calls.js"
import * as Waldur from "../../../src/simulator/waldur/index.js"
import { eventually } from "../../events/support.js"
import { makeSite } from "../../support/agent.js"
import {
  addComponent,
  addResource,
  nextReport,
  often,
  reporting,
  usageScenario as scenario,
  sent,
  usages
} from "../../support/usage.js"

describe.concurrent("usage reports", () => {
  scenario(
    "of data centres and machines are in Waldur's units, with decimals, and come again only when they change",
    () =>
      Effect.gen(function* () {
        const site = yield* makeSite({
          root: often,
          world: { gigabytes: true },
          vdcOffering: reporting,
          // Sizes come with the plan, which has no usage: what is used is billed beside it.
          vmOffering: {
            ...reporting,
            backend_components: Object.fromEntries(
              ["vcpu", "vm_ram", "vm_disk"].map((size) => [`${size}_used`, { usage_from: size }])
            )
          }
        })
        for (const size of ["vcpu", "vm_ram", "vm_disk"])
          addComponent(site, `${size}_used`, "", "usage", site.world.vmOffering)
        const first = yield* site.start()
        const limits = { cpu: 4, ram: 4, storage: 20, floating_ip: 2 }
        const vdc = (yield* site.order.vdc("home", { limits })).resource
        yield* site.order.vm("box", vdc.backendId)
        // A report that is being made when the orders end may still be of before; two offerings make them, each at its own pace.
        yield* eventually(() => Object.keys(usages(site)).some((what) => what.startsWith("box")))
        yield* nextReport(site, 4)
        expect(usages(site)).toEqual({
          // The router has half a core, 256 MB and a disk of 1024 MB, the machine a core, 512 MB and 2048 MB.
          "home cpu": 1.5,
          "home ram": 0.75,
          "home storage": 3,
          "home floating_ip": 1,
          "box vcpu_used": 1,
          "box vm_ram_used": 512,
          "box vm_disk_used": 2048
        })
        const count = sent(site).length
        yield* nextReport(site, 2)
        expect(sent(site)).toHaveLength(count)
        yield* first.stop

        yield* site.start("another")
        yield* nextReport(site, 2)
        expect(sent(site)).toHaveLength(count)
        expect(site.logged.filter((line) => /Usage not reported|A bug/.test(line))).toEqual([])
      })
  )

  scenario("of fifty resources need one read of the pool", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ vdcOffering: { ...reporting, order_processing_backend: "" } })
      for (let n = 0; n < 50; n++) {
        const group = yield* site.cloud.call("one.group.allocate", [`group-${n}`])
        expect(group._tag).toBe("Ok")
        addResource(site, `vdc-${n}`, String(100 + n))
      }
      const before = site.cloud.calls.length
      yield* site.start()
      yield* nextReport(site)
      const pools = site.cloud.calls.slice(before).filter(({ method }) => method.includes("pool."))
      expect(pools.map(({ method }) => method)).toEqual(["one.grouppool.info"])
      expect(sent(site)).toHaveLength(50)
    })
  )

  scenario("in hours come from the accounts, the last ones of a resource that has ended too", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({
        root: { reporting_periods: 1 },
        vdcOffering: { ...reporting, backend_components: { gb_h: { unit_factor: 1024, usage_from: "ram_hours" } } },
        vdcSettings: { terminate_policy: "cascade" }
      })
      addComponent(site, "cpu_hours", "core-hours")
      addComponent(site, "gb_h", "GB-hours")
      const first = yield* site.start()
      const vdc = (yield* site.order.vdc("home")).resource
      yield* first.stop
      // The router has had its host for two hours and a minute: by now, however long it took until here.
      const [record] = site.cloud.world.vms.get(0).history
      const now = yield* Clock.currentTimeMillis
      if (record !== undefined) record.stime = Math.floor(now / 1000) - (2 * 3600 + 60)
      // Reports come with a start, and then half an hour apart.
      yield* Effect.zipRight(site.start("another"), nextReport(site))
      expect(usages(site)).toMatchObject({ "home cpu_hours": 1, "home gb_h": 0.5 })
      if (record !== undefined) record.stime -= 3600
      // Waldur takes none of what has ended.
      yield* site.order.terminate(vdc.uuid)
      expect(usages(site)).toMatchObject({
        "home cpu_hours": expect.closeTo(1.51, 1),
        "home gb_h": expect.closeTo(0.75, 1)
      })
    })
  )

  scenario("to a Waldur that is away delay none to another", () =>
    Effect.gen(function* () {
      const other = yield* Waldur.serve({ seed: 2 })
      const world = yield* Waldur.demoWorld(other.marketplace)
      const site = yield* makeSite({
        root: often,
        vdcOffering: reporting,
        offerings: ({ backend }) => [
          {
            name: "elsewhere",
            waldur_api_url: `${other.url}/api/`,
            waldur_api_token: world.agentToken,
            waldur_offering_uuid: "0ffe0000000040000000000000000003",
            backend_settings: { ...backend, resource_type: "vdc" },
            ...reporting
          }
        ]
      })
      // It takes connections and answers nothing, for as long as the test lasts.
      other.marketplace.intercept(() => fault.delay("1 hour"))
      yield* site.start()
      const vdc = (yield* site.order.vdc("home")).resource
      yield* nextReport(site, 2)
      expect(usages(site)).toMatchObject({ "home cpu": 0.5 })
      expect(vdc.state).toBe("OK")
      expect(sent(other)).toEqual([])
    })
  )
})
