/**
 * Policies of a customer's project, or of the offering, that keep resources from being changed in Waldur (source: waldur-mastermind, policy/handlers.py,
 * policy_actions.py; marketplace/views.py, `set_limits`).
 */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import {
  doubled,
  expectNothingLeft,
  makeSite,
  type Site,
  scenario,
  untilSettled,
  vdcLimits
} from "../../support/agent.js"

/** From the first such call of OpenNebula on. */
const blockedFrom = ({ cloud, world }: Site, call: string) => {
  let done = false
  cloud.intercept(({ method }) => {
    if (method === call && !done) {
      done = true
      world.project.blocksModification = true
    }
    return undefined
  })
}

const waits = (line: string): boolean =>
  line.includes(
    "Waits: Waldur did not accept the call: Modification of new resources in this project is not available"
  ) && line.includes("as with the next month or a higher limit")

const stateOf = ({ marketplace }: Site, uuid: string) => marketplace.orders.get(uuid)?.state

describe("an order in work, when a policy begins to block modifications", () => {
  for (const restarted of [false, true])
    scenario(
      `that makes something waits, says why, and is done when it is over${restarted ? ", also after a restart" : ""}`,
      () =>
        Effect.gen(function* () {
          const site = yield* makeSite()
          let agent = yield* site.start()
          blockedFrom(site, "one.vrouter.instantiate")
          const uuid = yield* site.place.vdc("centre")
          yield* site.awaitLogged(waits, 2)
          expect(stateOf(site, uuid)).toBe("executing")
          const made = site.made()
          if (restarted) {
            yield* agent.stop
            agent = yield* site.start()
            yield* site.awaitLogged(waits, 3)
          }
          expect(site.made()).toEqual(made)
          site.world.project.blocksModification = false
          expect(yield* site.marketplace.awaitOrderEnd(uuid)).toMatchObject({ state: "done", errorMessage: "" })
          yield* untilSettled(agent)
          expect(site.made()).toEqual(made)
          const { resource } = yield* Effect.fromNullable(site.marketplace.orders.get(uuid))
          expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
          yield* expectNothingLeft(site, agent, ["centre Terminated"])
        }).pipe(Effect.timeout("120 seconds"))
    )

  for (const [type, call] of [
    ["a change", "one.group.quota"],
    ["an end", "one.group.delete"]
  ] as const)
    scenario(`that is ${type} waits as well, and is done when it is over`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const agent = yield* site.start()
        const { resource } = yield* site.order.vdc("centre")
        yield* untilSettled(agent)
        blockedFrom(site, call)
        const uuid = yield* type === "an end"
          ? site.place.terminate(resource.uuid)
          : site.place.updateLimits(resource.uuid, doubled)
        yield* site.awaitLogged(waits, 2)
        expect(stateOf(site, uuid)).toBe("executing")
        site.world.project.blocksModification = false
        expect(yield* site.marketplace.awaitOrderEnd(uuid)).toMatchObject({ state: "done", errorMessage: "" })
        if (type === "a change") {
          expect(resource.limits).toEqual(doubled)
          expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
        }
        yield* expectNothingLeft(site, agent, ["centre Terminated"])
      }).pipe(Effect.timeout("120 seconds"))
    )

  scenario("and that fails waits to be told, and errs once when it is over", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      site.marketplace.intercept(({ path }) => {
        if (path.endsWith("/approve_by_provider/")) site.world.project.blocksModification = true
        return undefined
      })
      const uuid = yield* site.place.vdc("centre", { attributes: { subnet_cidr: "no subnet" } })
      yield* site.awaitLogged(waits, 2)
      expect([stateOf(site, uuid), site.made()]).toEqual(["executing", []])
      site.world.project.blocksModification = false
      expect(yield* site.marketplace.awaitOrderEnd(uuid)).toMatchObject({
        state: "erred",
        errorMessage: expect.stringContaining("is not a subnet")
      })
      yield* expectNothingLeft(site, agent, ["centre Terminated"])
    }).pipe(Effect.timeout("120 seconds"))
  )
})

describe("an offering with a policy of periodic usage", () => {
  scenario("has its limits from the orders alone", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      site.world.vdcOffering.hasPeriodicUsagePolicy = true
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      expect(resource.limits).toEqual(vdcLimits)
      expect((yield* site.order.updateLimits(resource.uuid, doubled)).state).toBe("done")
      yield* untilSettled(agent)
      expect(resource.limits).toEqual(doubled)
      // What an order does not name is gone with it there, and cannot be told.
      expect((yield* site.order.updateLimits(resource.uuid, { cpu: 6 })).state).toBe("done")
      yield* untilSettled(agent)
      expect(resource.limits).toEqual({ cpu: 6 })
      expect(site.logged.filter((line) => line.includes("has floating_ip, ram, storage otherwise"))).toHaveLength(1)
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["centre Terminated"])
    }).pipe(Effect.timeout("120 seconds"))
  )
})
