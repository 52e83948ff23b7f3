/** An order that somebody else has carried out meanwhile: another agent for the same offering, or a person. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { kinds, makeSite, scenario, untilSettled } from "../../support/agent.js"
import { refuse } from "../../support/vmCloud.js"

scenario(
  "an order that fails here, and that Waldur has as done by then, is not undone: the customer was told that it is there",
  () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      site.cloud.intercept((call) => {
        if (call.method !== "one.vrouter.instantiate") return undefined
        for (const order of site.marketplace.orders.values()) Object.assign(order, { state: "done" })
        return refuse(call)
      })
      const order = yield* site.place.vdc("shared")
      yield* site.awaitActivity((one) => one._tag === "Order" && (one.event === "done" || one.event === "erred"))
      expect(site.logged.filter((line) => line.includes("Waldur has the order as done"))).toHaveLength(1)
      yield* untilSettled(agent)
      expect(site.marketplace.orders.get(order)?.state).toBe("done")
      expect(kinds(site.made())).toMatchObject({ group: 1, vdc: 1, network: 1, router: 1 })
      yield* site.marketplace.settled
      yield* agent.stop
    })
)
