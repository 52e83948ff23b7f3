/**
 * The agent's user loses its role with the provider. Waldur then shows it nothing of the offering, and no error: lists are empty, and what is read by its
 * uuid is not found (source: waldur-mastermind, marketplace/views.py, `OrderViewSet.get_queryset`; marketplace/managers.py, `filter_for_user`).
 */
import { describe, expect } from "@effect/vitest"
import { Effect, Option } from "effect"
import { OfferingId } from "../../../src/core/index.js"
import { Offerings } from "../../../src/runtime/offerings/offering.js"
import {
  expectNothingLeft,
  makeSite,
  type RunningAgent,
  type Site,
  scenario,
  untilSettled
} from "../../support/agent.js"

/** Gives what gives the roles back. */
const takeRoles = ({ marketplace: { world } }: Site) => {
  const agents = [...world.users.values()].filter(({ username }) => username === "site-agent")
  const before = agents.map((user) => ({ user, roles: user.roles.splice(0) }))
  expect(before).toHaveLength(1)
  return () => {
    for (const { roles, user } of before) user.roles.push(...roles)
  }
}

const offeringOf = ({ world }: Site, { services }: RunningAgent) =>
  Effect.flatMap(Offerings, (open) => Effect.map(open, (all) => all.get(OfferingId.make(world.vdcOffering.uuid)))).pipe(
    Effect.flatMap(Effect.fromNullable),
    Effect.provide(services)
  )

describe("an agent whose user has lost its role while no order is in work", () => {
  scenario("says so within a minute or so, is not ready, and carries out what was ordered when it has it back", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      yield* untilSettled(agent)
      const giveBack = takeRoles(site)
      const order = yield* site.place.terminate(resource.uuid)
      yield* site.awaitLogged(
        (line) => line.includes("Cannot look for orders: ") && /give the agent's user a role.*offering=VDC/.test(line)
      )
      const { health, pluginOptions } = yield* offeringOf(site, agent)
      expect([yield* health.status, yield* health.waits]).toEqual([expect.objectContaining({ _tag: "Stopped" }), true])
      giveBack()
      // A failure is not kept for a minute, as what was read is.
      expect(Option.isSome(yield* Effect.option(pluginOptions))).toBe(true)
      expect((yield* site.marketplace.awaitOrderEnd(order)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["centre Terminated"])
    }).pipe(Effect.timeout("240 seconds"))
  )
})
