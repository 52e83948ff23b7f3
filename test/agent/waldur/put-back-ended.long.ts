/** Waldur was put back from a backup, and an order that was done is open there again, whose resource has ended since: here, or there. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import type { Order, OrderState, ResourceState } from "../../../src/simulator/waldur/model.js"
import { moveOrder, moveResource, removeOrder } from "../../../src/simulator/waldur/world.js"
import { doubled, expectNothingLeft, makeSite, type Site, scenario, untilSettled } from "../../support/agent.js"
import { typed } from "../../support/commands.js"

const openAgain = ({ marketplace: { world } }: Site, order: Order, state: OrderState, resource: ResourceState) => {
  for (const one of world.orders.values())
    if (one.resource === order.resource && one.created > order.created) removeOrder(world, one)
  moveResource(world, order.resource, resource)
  moveOrder(world, order, state)
}

describe("an order that was done, whose resource Waldur has as ended", () => {
  for (const type of ["Create", "Update"] as const)
    for (const today of [true, false])
      scenario(
        `and that executes again (${type}), errs and says so; ${today ? "what it made are orphans" : "an older server has the resource ended once more, also after a restart"}`,
        () =>
          Effect.gen(function* () {
            const site = yield* makeSite({ marketplace: { published: today } })
            let agent = yield* site.start()
            const created = yield* site.order.vdc("centre")
            const order = type === "Create" ? created : yield* site.order.updateLimits(created.resource.uuid, doubled)
            yield* untilSettled(agent)
            if (!today) yield* agent.stop
            openAgain(site, order, "executing", "Terminated")
            if (!today) agent = yield* site.start()
            const { errorMessage, resource, state } = yield* site.marketplace.awaitOrderEnd(order.uuid)
            expect([state, errorMessage]).toEqual(["erred", expect.stringContaining("has ended in the marketplace")])
            if (today) {
              yield* site.awaitLogged((line) => line.includes("is listed by `site-actors orphans`"))
              expect(resource.state).toBe("Terminated")
              const { out } = yield* typed("orphans", "-c", site.file, "--data-dir", site.dataDir)
              expect(out).toMatch(/group:\d+.*terminated/)
            } else {
              expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
              yield* expectNothingLeft(site, agent, ["centre Terminated"])
            }
          }).pipe(Effect.timeout("60 seconds"))
      )
})

describe("an order that was done, whose resource was ended here since", () => {
  for (const [type, again] of [
    ["Create", "executing"],
    ["Create", "pending-provider"],
    ["Update", "executing"]
  ] as const)
    scenario(`and is ${again} again (${type}), errs: nobody is told that there is something`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const agent = yield* site.start()
        const created = yield* site.order.vdc("centre")
        const order = type === "Create" ? created : yield* site.order.updateLimits(created.resource.uuid, doubled)
        const { resource } = order
        expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
        yield* untilSettled(agent)
        if (type === "Create") resource.backendId = ""
        if (again === "pending-provider") order.providerReviewedBy = null
        openAgain(site, order, again, type === "Create" ? "Creating" : "Updating")
        const { errorMessage, state } = yield* site.marketplace.awaitOrderEnd(order.uuid)
        expect([state, errorMessage]).toEqual(["erred", expect.stringContaining("was ended after")])
        expect(site.made()).toEqual([])
        if (type === "Create") expect([resource.state, resource.backendId]).toEqual(["Terminated", ""])
        else expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
        yield* expectNothingLeft(site, agent, ["centre Terminated"])
      }).pipe(Effect.timeout("60 seconds"))
    )
})
