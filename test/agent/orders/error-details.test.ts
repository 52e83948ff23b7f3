/** Who sees why an order failed: the customer a sentence, the log everything, Waldur what the provider lets it. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { makeSite, scenario } from "../../support/agent.js"

describe("the details of a failure", () => {
  const erredWith = (root: Readonly<Record<string, unknown>>) =>
    Effect.gen(function* () {
      const site = yield* makeSite({ root, vmSettings: { parent_vdc_backend_id: "nowhere" } })
      yield* site.start()
      const { errorMessage, errorTraceback, state } = yield* site.order.wish({
        offering: site.world.vmOffering.uuid,
        project: site.world.project.uuid,
        plan: site.world.plans.small.uuid,
        attributes: { name: "lost" }
      })
      expect([state, errorMessage]).toEqual([
        "erred",
        expect.stringContaining("does not exist (any more): ask the provider")
      ])
      return errorTraceback
    })

  scenario("go to Waldur where the provider wants it, and stay in the log otherwise", () =>
    Effect.gen(function* () {
      expect(yield* erredWith({ expose_backend_error_details: true })).toContain(
        "parent_vdc_backend_id nowhere is no group"
      )
      expect(yield* erredWith({})).toBe("")
    })
  )
})
