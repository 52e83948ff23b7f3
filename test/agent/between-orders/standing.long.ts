/** Paused and downscaled resources: machines are stopped, starting is refused, and all of it is undone again. Over HTTP. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { Lcm, VmState } from "../../../src/simulator/opennebula/index.js"
import type { Resource } from "../../../src/simulator/waldur/index.js"
import { kinds, makeSite, type Site, scenario } from "../../support/agent.js"

const watched = (vdcSettings: Readonly<Record<string, unknown>> = {}) =>
  Effect.tap(makeSite({ root: { observation_interval: 0.4 }, vdcSettings }), ({ world }) => {
    for (const { pluginOptions } of [world.vdcOffering, world.vmOffering])
      Object.assign(pluginOptions, { can_restore_resource: true })
  })

const vmOf = ({ cloud }: Site, { backendId }: Resource) => cloud.world.vms.get(Number(backendId))
const routerVm = ({ cloud }: Site) =>
  [...cloud.world.vms].find(({ template }) => template.get("VROUTER_ID") !== undefined)

const act = ({ cloud }: Site, action: string, { backendId }: Resource) =>
  Effect.map(cloud.call("one.vm.action", [action, Number(backendId)]), (answer) =>
    answer._tag === "Ok" ? "ok" : answer._tag === "Error" ? answer.message : answer._tag
  )

const runningLimits = ({ cloud }: Site, { backendId }: Resource) => {
  const limits = cloud.world.groups.get(Number(backendId)).quotas.VM.find(({ key }) => key === "")?.limits
  return ["RUNNING_VMS", "RUNNING_CPU", "RUNNING_MEMORY", "CPU"].map((metric) => limits?.get(metric))
}

const putRight = (site: Site, what: string, times = 1) =>
  site.awaitLogged((line) => line.includes(`Put right: ${what}`), times)

describe("a data centre that Waldur pauses", () => {
  scenario("has its machines stopped and none started, and gets exactly those back that were stopped for it", () =>
    Effect.gen(function* () {
      const site = yield* watched({ downscaled_limits: { cpu: 1, ram: 512 } })
      yield* site.start()
      const { resource: vdc } = yield* site.order.vdc("tenant")
      const { resource: running } = yield* site.order.vm("running", vdc.backendId)
      const { resource: off } = yield* site.order.vm("off", vdc.backendId)
      expect(yield* act(site, "poweroff-hard", off)).toBe("ok")

      vdc.paused = true
      yield* putRight(site, "paused")
      expect(vmOf(site, running).state).toBe(VmState.poweroff)
      expect(routerVm(site)?.state).toBe(VmState.active)
      expect(runningLimits(site, vdc)).toEqual([0, -1, -1, 4])
      expect(yield* act(site, "resume", running)).toContain("limit of 0 reached for RUNNING_VMS")

      // It says why: there is no quota that could be freed.
      const refused = yield* site.order.vm("third", vdc.backendId)
      expect([refused.state, refused.errorMessage]).toEqual(["erred", expect.stringContaining("is paused")])

      // Another size meanwhile lets nothing start.
      const larger = { cpu: 5, ram: 8192, storage: 40960, floating_ip: 4 }
      expect((yield* site.order.updateLimits(vdc.uuid, larger)).state).toBe("done")
      expect(runningLimits(site, vdc)).toEqual([0, -1, -1, 5])

      vdc.paused = false
      vdc.downscaled = true
      yield* putRight(site, "downscaled")
      expect(runningLimits(site, vdc)).toEqual([-1, 1, 512, 5])
      // Beside the router there is no room for it within one core.
      expect(vmOf(site, running).state).toBe(VmState.poweroff)

      vdc.downscaled = false
      yield* putRight(site, "active")
      expect(runningLimits(site, vdc)).toEqual([-1, -1, -1, 5])
      expect([vmOf(site, running).state, vmOf(site, off).state]).toEqual([VmState.active, VmState.poweroff])
      expect(vmOf(site, running).userTemplate.get("SITE_ACTORS_STOPPED_FOR")).toBe("none")
    })
  )
})

describe("a machine that was stopped for a pause", () => {
  scenario(
    "and that its administrator takes off its host meanwhile is started on another one when the pause is over",
    () =>
      Effect.gen(function* () {
        const site = yield* watched()
        yield* site.start()
        const { resource: vdc } = yield* site.order.vdc("tenant")
        const { resource: running } = yield* site.order.vm("running", vdc.backendId)
        vdc.paused = true
        yield* putRight(site, "paused")
        expect(yield* act(site, "undeploy", running)).toBe("ok")
        vdc.paused = false
        yield* putRight(site, "active")
        expect(vmOf(site, running)).toMatchObject({ state: VmState.active, lcm: Lcm.running })
      })
  )
})

describe("a resource that Waldur ended alone", () => {
  scenario("and that stands in the cloud all the same is taken back into use by a restore order", () =>
    Effect.gen(function* () {
      const site = yield* watched()
      yield* site.start()
      const { resource: vdc } = yield* site.order.vdc("kept")
      // As while an order waits for somebody's approval.
      vdc.state = "Updating"
      vdc.paused = true
      yield* putRight(site, "paused")
      vdc.paused = false
      vdc.state = "Terminated"
      expect((yield* site.ended(site.place.restore(vdc.uuid))).state).toBe("done")
      expect(vdc).toMatchObject({ state: "OK" })
      expect(runningLimits(site, vdc)[0]).toBe(-1)
    })
  )
})

describe("a machine that Waldur pauses", () => {
  scenario("is stopped and locked, started again when the pause is over, and can be ended while it lasts", () =>
    Effect.gen(function* () {
      const site = yield* watched()
      yield* site.start()
      const { resource: vdc } = yield* site.order.vdc("home")
      const { resource: vm } = yield* site.order.vm("paused", vdc.backendId)

      vm.paused = true
      yield* putRight(site, "paused")
      expect(vmOf(site, vm).state).toBe(VmState.poweroff)
      expect(yield* act(site, "resume", vm)).toContain("VM is locked")
      const refused = yield* site.order.switchToMedium(vm.uuid)
      expect(refused).toMatchObject({ state: "erred", errorMessage: expect.stringContaining("is paused") })
      // What has run out is paused, and then renewed: nothing of the machine changes by that.
      const renewed = yield* site.ended(site.customer.place.renew(vm.uuid))
      expect([renewed.state, renewed.errorMessage]).toEqual(["done", ""])
      expect(vmOf(site, vm).state).toBe(VmState.poweroff)
      vm.paused = false
      yield* putRight(site, "active")
      expect(vmOf(site, vm)).toMatchObject({ state: VmState.active, lock: undefined })

      vm.paused = true
      yield* putRight(site, "paused", 2)
      expect((yield* site.order.terminate(vm.uuid)).state).toBe("done")

      // What was ended is gone: the order fails, and the resource is not shown as one that could be used.
      const restored = yield* site.ended(site.place.restore(vm.uuid))
      expect(restored).toMatchObject({ state: "erred", errorMessage: expect.stringContaining("cannot be restored") })
      expect(vm.state).toBe("Erred")
      expect((yield* site.order.terminate(vdc.uuid)).state).toBe("done")
      expect(kinds(site.made())).toEqual({})
    })
  )
})

scenario("an order with a start date is approved, and nothing is built before its day", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    yield* site.start()
    const uuid = yield* site.place.vdc("later", { startDate: "2999-01-01" })
    yield* site.awaitLogged((line) => line.includes("it begins on 2999-01-01"))
    const order = site.marketplace.orders.get(uuid)
    expect(order?.state).toBe("pending-start-date")
    expect(site.made()).toEqual([])
    // The day has come.
    if (order !== undefined) order.state = "executing"
    expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("done")
    expect(kinds(site.made())).toMatchObject({ group: 1 })
  })
)
