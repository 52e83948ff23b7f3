/** Orders that are deleted in Waldur, or sent back there, while they wait here. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Waldur from "../../../src/simulator/waldur/index.js"
import { moveOrder, moveResource, removeOrder } from "../../../src/simulator/waldur/world.js"
import { show } from "../../page/support.js"
import { doubled, expectNothingLeft, makeSite, scenario, untilSettled, vdcLimits } from "../../support/agent.js"

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

  /** Its customer may do so until then (source: waldur-mastermind, marketplace/views.py, `destroy_validators`). */
  scenario("also in the moment in which it is approved", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      let deleted = ""
      site.marketplace.intercept(({ path }) => {
        const [, uuid = ""] = /marketplace-orders\/(\w+)\/approve_by_provider/.exec(path) ?? []
        const order = site.marketplace.orders.get(uuid)
        if (deleted !== "" || order === undefined) return undefined
        deleted = uuid
        removeOrder(site.marketplace.world, order)
        moveResource(site.marketplace.world, resource, "OK")
        return undefined
      })
      const uuid = yield* site.place.updateLimits(resource.uuid, doubled)
      yield* site.awaitLogged((line) => line.includes("Refused: The order is not in Waldur any more."))
      expect([deleted, resource.limits]).toEqual([uuid, vdcLimits])
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

describe("an order in work whose resource is not in Waldur any more", () => {
  for (const [what, path] of [
    ["when its id is told", /\/set_backend_id\/$/],
    ["when it is looked at for the last time before it is done", /^\/api\/marketplace-provider-resources\/\w+\/$/]
  ] as const)
    scenario(`${what}, waits and says so, and is undone when it is cancelled`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const agent = yield* site.start()
        const isWorkDone = () => site.marketplace.calls.some((call) => call.path.endsWith("/set_backend_id/"))
        site.marketplace.intercept((call) =>
          path.test(call.path) && (isWorkDone() || call.path.endsWith("/set_backend_id/"))
            ? Waldur.fault.status(404, '{"detail":"Not found."}')
            : undefined
        )
        const uuid = yield* site.place.vdc("centre")
        yield* site.awaitLogged((line) => line.includes("Waits: Waldur does not have the resource of this order"))
        expect(site.marketplace.orders.get(uuid)?.state).toBe("executing")
        const { client } = yield* show(site, agent)
        expect(yield* client.actions.perform({ payload: { kind: "cancel", order: uuid, reason: "" } })).toMatchObject({
          ok: true
        })
        expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("erred")
        yield* untilSettled(agent)
        expect(site.made()).toEqual([])
      }).pipe(Effect.timeout("60 seconds"))
    )
})

describe("an order that waits for its approval and whose resource is not in Waldur any more", () => {
  for (const type of ["updateLimits", "terminate"] as const)
    scenario(`(${type}) waits and says what to do, and is carried out when the resource is shown again`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const agent = yield* site.start()
        const { resource } = yield* site.order.vdc("centre")
        yield* untilSettled(agent)
        const mend = site.marketplace.intercept(({ path }) =>
          path === `/api/marketplace-provider-resources/${resource.uuid}/`
            ? Waldur.fault.status(404, '{"detail":"Not found."}')
            : undefined
        )
        const uuid = yield* type === "terminate"
          ? site.place.terminate(resource.uuid)
          : site.place.updateLimits(resource.uuid, { cpu: 6 })
        yield* site.awaitLogged((line) => line.includes("have the order removed in Waldur by its staff"), 2)
        expect(site.marketplace.orders.get(uuid)?.state).toBe("pending-provider")
        mend()
        expect(yield* site.marketplace.awaitOrderEnd(uuid)).toMatchObject({ state: "done", errorMessage: "" })
        yield* untilSettled(agent)
      }).pipe(Effect.timeout("60 seconds"))
    )
})
