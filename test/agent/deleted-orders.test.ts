/** Orders that are deleted in Waldur, or sent back there, while they wait here. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Waldur from "../../src/simulator/waldur/index.js"
import { moveOrder, moveResource, removeOrder } from "../../src/simulator/waldur/world.js"
import { expectNothingLeft, makeSite, scenario, untilSettled } from "../support/agent.js"

describe("an order that is deleted in Waldur before anything is done for it", () => {
  scenario("is let go, and the next one of its resource is carried out", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      // It waits where it cannot be read.
      const mend = site.marketplace.intercept(({ path }) =>
        path.startsWith("/api/marketplace-orders/") && path !== "/api/marketplace-orders/"
          ? Waldur.fault.status(503)
          : undefined
      )
      const deleted = yield* site.place.terminate(resource.uuid)
      yield* site.awaitLogged((line) => line.includes("Waits: Waldur answered 503"))
      const order = site.marketplace.orders.get(deleted)
      if (order === undefined) return expect.unreachable()
      removeOrder(site.marketplace.world, order)
      moveResource(site.marketplace.world, resource, "OK")
      mend()
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["centre Terminated"])
    }).pipe(Effect.timeout("60 seconds"))
  )
})

describe("an order in work that waits for its customer again", () => {
  scenario("says so, and ends when that is settled", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      site.marketplace.intercept(({ path }) => {
        const [, uuid] = /marketplace-orders\/(\w+)\/set_state_done/.exec(path) ?? []
        const order = site.marketplace.orders.get(uuid ?? "")
        if (order?.state === "executing" && !site.logged.some((line) => line.includes("pending-consumer")))
          moveOrder(site.marketplace.world, order, "pending-consumer")
        return undefined
      })
      const uuid = yield* site.place.vdc("centre")
      yield* site.awaitLogged((line) => line.includes("Waits: Waldur: the order is pending-consumer there."))
      const order = site.marketplace.orders.get(uuid)
      if (order === undefined) return expect.unreachable()
      moveOrder(site.marketplace.world, order, "canceled")
      moveResource(site.marketplace.world, order.resource, "Terminated")
      yield* untilSettled(agent)
      yield* expectNothingLeft(site, agent, ["centre Terminated"])
    })
  )
})
