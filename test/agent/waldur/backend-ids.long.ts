/**
 * A provider has rules for its resources' backend ids, which Waldur holds `set_backend_id` to: 400 (source: waldur-mastermind, marketplace/utils.py,
 * `validate_backend_id`).
 */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { makeSite, scenario, untilSettled } from "../../support/agent.js"

describe("a backend id that Waldur does not take", () => {
  scenario("as another resource of the provider has it, has the machine undone, and says so", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      const other = yield* site.order.vdc("other")
      yield* untilSettled(agent)
      const made = site.made()
      site.world.vmOffering.backendIdRules = { uniqueness: { scope: "service_provider" } }
      // Each time anew: the agent looks once more whether a new data centre has kept its id.
      site.marketplace.intercept(({ path }) => {
        const [newest] = [...site.cloud.world.vms].slice(-1)
        if (path.endsWith("/set_backend_id/")) other.resource.backendId = String(newest?.id)
        return undefined
      })
      const { errorMessage, state } = yield* site.order.vm("machine", resource.backendId)
      expect([state, errorMessage]).toEqual(["erred", expect.stringContaining("do not allow the id")])
      yield* site.awaitLogged((line) => line.includes("Refused: ") && line.includes("unique ones within the offering"))
      yield* untilSettled(agent)
      expect(site.made()).toEqual(made)
    }).pipe(Effect.timeout("60 seconds"))
  )

  scenario("as it is of another form, has its order wait and say so, until the rule is another one", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      site.world.vdcOffering.backendIdRules = { format: { regex: "[A-Z]{2}-[0-9]+", description: "Like EE-42." } }
      const uuid = yield* site.place.vdc("centre")
      yield* site.awaitLogged(
        (line) => line.includes("Waits: ") && /Invalid format. Like EE-42.*rules for backend ids in Waldur/.test(line)
      )
      expect(site.marketplace.orders.get(uuid)?.state).toBe("executing")
      site.world.vdcOffering.backendIdRules = {}
      const order = yield* site.marketplace.awaitOrderEnd(uuid)
      expect([order.state, order.errorMessage]).toEqual(["done", ""])
      yield* untilSettled(agent)
    }).pipe(Effect.timeout("60 seconds"))
  )
})
