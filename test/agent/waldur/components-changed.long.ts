/** A provider changes an offering's components in Waldur under a running agent, which has read them when it opened the offering. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { afterCall, doubled, expectNothingLeft, makeSite, scenario, untilSettled } from "../../support/agent.js"

describe("a component that is sold since the agent was started", () => {
  scenario("is said, and orders that name it wait for a restart instead of being refused", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const { components } = site.world.vdcOffering
      const added = components.splice(-1)
      expect(added).toMatchObject([{ type: "floating_ip" }])
      const first = yield* site.start()
      yield* site.awaitLogged((line) => line.includes("Open: opennebula-vdc"))
      components.push(...added)
      // The queue is empty: it is looked for once a minute.
      yield* site.awaitLogged(
        (line) =>
          line.includes("have changed in Waldur since the agent opened it: floating_ip.") &&
          line.includes("Restart the agent")
      )
      const uuid = yield* site.place.vdc("centre")
      yield* site.awaitLogged((line) => line.includes("Waits: The components of offering"))
      yield* first.stop
      expect([site.marketplace.orders.get(uuid)?.state, site.made()]).toEqual(["pending-provider", []])
      const agent = yield* site.start()
      const { errorMessage, resource, state } = yield* site.marketplace.awaitOrderEnd(uuid)
      expect([state, errorMessage]).toEqual(["done", ""])
      yield* untilSettled(agent)
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["centre Terminated"])
    }).pipe(Effect.timeout("240 seconds"))
  )
})

/** Today's server takes limits of the offering's components alone: 400 (source: waldur-mastermind, marketplace/views.py, `set_limits`). */
describe("a component that is taken away while a change of limits is carried out", () => {
  scenario("has the order wait and say so, and not undone, until the two agree again", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      yield* untilSettled(agent)
      const { components } = site.world.vdcOffering
      const all = [...components]
      const resized = yield* Effect.fork(afterCall(site, ({ method }) => method === "one.group.quota"))
      const uuid = yield* site.place.updateLimits(resource.uuid, doubled)
      yield* resized
      components.splice(0, components.length, ...all.filter(({ type }) => type !== "storage"))
      yield* site.awaitLogged(
        (line) => line.includes("Waits: ") && /Unknown component types: storage .*restart the agent/.test(line)
      )
      expect(site.marketplace.orders.get(uuid)?.state).toBe("executing")
      components.splice(0, components.length, ...all)
      expect(yield* site.marketplace.awaitOrderEnd(uuid)).toMatchObject({ state: "done", errorMessage: "" })
      expect(resource.limits).toEqual(doubled)
      yield* untilSettled(agent)
    }).pipe(Effect.timeout("120 seconds"))
  )
})
