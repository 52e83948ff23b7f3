/**
 * The customer's organization is blocked or archived in Waldur, which then takes no approval of its orders, nor a rejection: 400 `["Blocked organization is
 * not available."]` (source: waldur-mastermind, structure/utils.py, `check_customer_blocked_or_archived`).
 */
import { describe, expect } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { Pauses } from "../../../src/runtime/journal/pauses.js"
import * as Waldur from "../../../src/simulator/waldur/index.js"
import { expectNothingLeft, makeSite, scenario, untilSettled } from "../../support/agent.js"

/** Gives what opens it again. */
const closed = (marketplace: Waldur.Marketplace, how: "Blocked" | "Archived") =>
  marketplace.intercept(({ path }) =>
    /\/(approve|reject)_by_provider\/$/.test(path)
      ? Waldur.fault.status(400, `["${how} organization is not available."]`)
      : undefined
  )

describe("an order whose customer's organization is closed before it is approved", () => {
  for (const how of ["Blocked", "Archived"] as const)
    scenario(
      `(${how}) waits and says so, its time stands still, and it is done when that is over, also after a restart`,
      () =>
        Effect.gen(function* () {
          const site = yield* makeSite()
          const first = yield* site.start()
          const open = closed(site.marketplace, how)
          const began = yield* Clock.currentTimeMillis
          const uuid = yield* site.place.vdc("centre")
          const said = (line: string) =>
            line.includes(`Waits: Waldur did not accept the call: ${how} organization is not available.`) &&
            line.includes("have the organization opened again in Waldur")
          yield* site.awaitLogged(said, 3)
          expect([site.marketplace.orders.get(uuid)?.state, site.made()]).toEqual(["pending-provider", []])
          const now = yield* Clock.currentTimeMillis
          const pauses = yield* Effect.provide(Pauses, first.services)
          expect(yield* pauses.total([uuid], began, now)).toBeGreaterThan(0)
          yield* first.stop
          const agent = yield* site.start()
          yield* site.awaitLogged(said, 4)
          open()
          expect(yield* site.marketplace.awaitOrderEnd(uuid)).toMatchObject({ state: "done", errorMessage: "" })
          yield* untilSettled(agent)
          const { total } = yield* Effect.provide(Pauses, agent.services)
          const over = yield* Clock.currentTimeMillis
          expect(yield* total([uuid], over, over + 1_000)).toBe(0)
          const { resource } = yield* Effect.fromNullable(site.marketplace.orders.get(uuid))
          expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
          yield* expectNothingLeft(site, agent, ["centre Terminated"])
        }).pipe(Effect.timeout("120 seconds"))
    )

  scenario("and that the agent refuses, errs when that is over", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const open = closed(site.marketplace, "Blocked")
      const uuid = yield* site.place.vdc("centre", { attributes: { subnet_cidr: "no subnet" } })
      yield* site.awaitLogged((line) => line.includes("Waits: ") && line.includes("organization is not available"), 2)
      expect(site.marketplace.orders.get(uuid)?.state).toBe("pending-provider")
      open()
      const order = yield* site.marketplace.awaitOrderEnd(uuid)
      expect([order.state, order.errorMessage]).toEqual(["erred", expect.stringContaining("is not a subnet")])
      yield* untilSettled(agent)
      expect(site.made()).toEqual([])
    }).pipe(Effect.timeout("120 seconds"))
  )
})
