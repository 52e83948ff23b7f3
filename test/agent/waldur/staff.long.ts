/** What Waldur's staff does by hand to an order, or to its resource, while it is carried out. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Waldur from "../../../src/simulator/waldur/index.js"
import { moveOrder, moveResource, removeOrder } from "../../../src/simulator/waldur/world.js"
import { doubled, makeSite, type Site, scenario, untilSettled, vdcLimits } from "../../support/agent.js"
import { typed } from "../../support/commands.js"

/** Does it once, at the first such call of OpenNebula. */
const at = ({ cloud }: Site, call: string, deed: () => void) => {
  let done = false
  cloud.intercept(({ method }) => {
    if (method === call && !done) {
      done = true
      deed()
    }
    return undefined
  })
}

const cpuOf = ({ cloud }: Site, backendId: string) =>
  cloud.world.groups.find(Number(backendId))?.quotas.VM[0]?.limits.get("CPU")

const ended = "The resource was ended in the marketplace while the order was carried out, so the order was undone"

describe("a resource that staff has ended while it is made", () => {
  for (const [which, marketplace, end] of [
    ["errs", { published: false }, ["erred", expect.stringContaining(ended)]],
    ["errs with today's server", {}, ["erred", expect.stringContaining(ended)]],
    // Saved before its resource, at which today's server fails where it has no transaction around: nobody can be told any more.
    ["is done in Waldur", { atomic: false }, ["done", ""]]
  ] as const)
    scenario(`has nothing left of it, and its order ${which}`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite({ marketplace })
        const agent = yield* site.start()
        at(site, "one.group.allocate", () => {
          for (const resource of site.marketplace.resources.values())
            moveResource(site.marketplace.world, resource, "Terminated")
        })
        const order = yield* site.order.vdc("centre")
        expect([order.state, order.errorMessage]).toEqual(end)
        yield* site.awaitLogged((line) => line.includes(`Refused: ${ended}`))
        yield* untilSettled(agent)
        expect(site.made()).toEqual([])
      }).pipe(Effect.timeout("120 seconds"))
    )
})

describe("a change of limits", () => {
  for (const [what, sentence, deed] of [
    ["whose resource staff has ended", ended, "end"],
    ["that staff has set to erred", "", "err"],
    ["that staff has canceled", "", "cancel"]
  ] as const)
    scenario(`${what} is undone, in Waldur as well`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const agent = yield* site.start()
        const { resource } = yield* site.order.vdc("centre")
        yield* untilSettled(agent)
        at(site, "one.group.quota", () => {
          const order = [...site.marketplace.orders.values()].findLast(({ type }) => type === "Update")
          if (deed === "end") moveResource(site.marketplace.world, resource, "Terminated")
          else if (order !== undefined) moveOrder(site.marketplace.world, order, deed === "err" ? "erred" : "canceled")
        })
        const order = yield* site.order.updateLimits(resource.uuid, doubled)
        expect([order.state, order.errorMessage]).toEqual([
          deed === "cancel" ? "canceled" : "erred",
          expect.stringContaining(sentence)
        ])
        yield* untilSettled(agent)
        expect([cpuOf(site, resource.backendId), resource.limits]).toEqual([vdcLimits.cpu, vdcLimits])
      }).pipe(Effect.timeout("120 seconds"))
    )
})

describe("an end that cannot be carried out", () => {
  scenario("of a resource that staff has ended is told as done, once, and what it has left are orphans", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      expect((yield* site.order.vm("vm", resource.backendId)).state).toBe("done")
      yield* untilSettled(agent)
      const made = site.made()
      site.marketplace.onCall(({ path }) => {
        if (path.endsWith("/approve_by_provider/")) moveResource(site.marketplace.world, resource, "Terminated")
      })
      const order = yield* site.order.terminate(resource.uuid)
      expect([order.state, resource.state]).toEqual(["done", "Terminated"])
      yield* site.awaitLogged(
        (line) =>
          line.includes("so it cannot be told that its end failed") && line.includes("still has virtual machines")
      )
      yield* untilSettled(agent)
      expect(site.marketplace.calls.some(({ path }) => path.endsWith("/set_state_erred/"))).toBe(false)
      expect(site.made()).toEqual(made)
      const place = ["-c", site.file, "--data-dir", site.dataDir]
      expect((yield* typed("order", order.uuid, ...place)).out).toContain(
        "erred: The data centre still has virtual machines"
      )
      expect((yield* typed("orphans", ...place)).out).toMatch(/group:\d+.*terminated/)
    }).pipe(Effect.timeout("120 seconds"))
  )

  scenario("and at which Waldur itself breaks says what to do, and is over when it is removed there", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      expect((yield* site.order.vm("vm", resource.backendId)).state).toBe("done")
      yield* untilSettled(agent)
      site.marketplace.intercept(({ path }) =>
        path.endsWith("/set_state_erred/") ? Waldur.fault.status(500) : undefined
      )
      const uuid = yield* site.place.terminate(resource.uuid)
      yield* site.awaitLogged(
        (line) => line.includes("Waits: Waldur answered 500") && line.includes("removed (`unlink`)")
      )
      const order = yield* Effect.fromNullable(site.marketplace.orders.get(uuid))
      removeOrder(site.marketplace.world, order)
      yield* untilSettled(agent)
    }).pipe(Effect.timeout("120 seconds"))
  )
})
