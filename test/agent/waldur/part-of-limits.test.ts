/**
 * Orders for other limits that name a part of them. Waldur takes such an order as it is, and makes its limits the resource's when it is done (source:
 * waldur-mastermind, marketplace/views.py, `update_limits`, and callbacks.py, `resource_update_succeeded`).
 */
import { describe, expect } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import * as Waldur from "../../../src/simulator/waldur/index.js"
import { moveOrder } from "../../../src/simulator/waldur/world.js"
import { makeSite, type Site, scenario, untilSettled, vdcLimits } from "../../support/agent.js"

const six = { ...vdcLimits, cpu: 6 }

/** CPU, memory and disks that the data centre's group may have. */
const quotaOf = ({ cloud }: Site, backendId: string) => {
  const row = cloud.world.groups.find(Number(backendId))?.quotas.VM[0]
  return ["CPU", "MEMORY", "SYSTEM_DISK_SIZE"].map((metric) => row?.limits.get(metric))
}

describe("an order that names one of the limits", () => {
  scenario("changes that one, and Waldur keeps the others", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      expect(yield* site.order.updateLimits(resource.uuid, { cpu: 6 })).toMatchObject({ state: "done" })
      yield* untilSettled(agent)
      expect(resource.limits).toEqual(six)
      expect(quotaOf(site, resource.backendId)).toEqual([6, 4096, 20480])
      // The next one begins from all of them.
      expect(yield* site.order.updateLimits(resource.uuid, { ram: 8192 })).toMatchObject({ state: "done" })
      yield* untilSettled(agent)
      expect(resource.limits).toEqual({ ...six, ram: 8192 })
    })
  )

  scenario("and whose agent ends between its end and that, has them after the next start", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      const order = yield* site.place.updateLimits(resource.uuid, { cpu: 6 })
      const mend = site.marketplace.intercept(({ path }) =>
        path.endsWith("/set_limits/") && site.marketplace.orders.get(order)?.state === "done"
          ? Waldur.fault.dropRequest
          : undefined
      )
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes("set_limits"))
      expect(resource.limits).toEqual({ cpu: 6 })
      yield* agent.stop
      mend()
      yield* untilSettled(yield* site.start())
      expect(resource.limits).toEqual(six)
    })
  )

  scenario("and is told once more, as Waldur was put back, keeps them as well", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      const order = yield* site.order.updateLimits(resource.uuid, { cpu: 6 })
      yield* untilSettled(agent)
      resource.limits = { ...vdcLimits }
      moveOrder(site.marketplace.world, order, "executing")
      yield* site.marketplace.awaitOrderEnd(order.uuid)
      yield* Effect.sync(() => resource.limits.ram).pipe(
        Effect.repeat({ until: (ram) => ram !== undefined, schedule: Schedule.spaced("10 millis") }),
        Effect.timeout("60 seconds")
      )
      expect(resource.limits).toEqual(six)
    })
  )
})
