/**
 * Waldur was put back from a backup: orders that are done wait for the provider again, resources have lost their backend ids, and what was ordered
 * since is gone. Nothing is made for a second time, and nothing of a customer's is removed.
 */
import { SqlClient } from "@effect/sql"
import { describe, expect } from "@effect/vitest"
import { Duration, Effect } from "effect"
import type { Activity } from "../../../src/runtime/activity.js"
import { perform } from "../../../src/runtime/control/actions.js"
import { forget } from "../../../src/runtime/journal/retention.js"
import { connectSites, findOrphans } from "../../../src/runtime/upkeep/index.js"
import { fault, type IncomingCall } from "../../../src/simulator/waldur/index.js"
import type { Order, Resource } from "../../../src/simulator/waldur/model.js"
import { removeOrder } from "../../../src/simulator/waldur/world.js"
import { doubled, expectNothingLeft, makeSite, type Site, scenario, untilSettled } from "../../support/agent.js"

/** All orders and resources as they are now; run, it makes them so again, and what has come since is gone. */
const backUp = ({ marketplace: { world } }: Site) => {
  const orders = new Map<Order, Order>([...world.orders.values()].map((order) => [order, { ...order }]))
  const resources = new Map<Resource, Resource>(
    [...world.resources.values()].map((resource) => [resource, { ...resource, limits: { ...resource.limits } }])
  )
  return Effect.sync(() => {
    for (const order of world.orders.values()) {
      const was = orders.get(order)
      if (was === undefined) removeOrder(world, order)
      else Object.assign(order, was)
    }
    for (const resource of world.resources.values()) {
      const was = resources.get(resource)
      if (was === undefined) world.resources.delete(resource.uuid)
      else Object.assign(resource, was)
    }
  })
}

/** A backup of the moment before that call. */
const backUpBefore = (site: Site, call: string) => {
  let backup: Effect.Effect<void> | undefined
  site.marketplace.intercept(({ path }) => {
    if (path.includes(call)) backup ??= backUp(site)
    return undefined
  })
  return Effect.suspend(() => backup ?? Effect.dieMessage(`there was no ${call}`))
}

describe("an order that was done", () => {
  for (const [again, call] of [
    ["executing", "set_backend_id"],
    ["pending-provider", "approve_by_provider"]
  ] as const) {
    scenario(`and is ${again} again is told once more, with what its resource has lost, and nothing is made`, () =>
      Effect.gen(function* () {
        const site = yield* makeSite()
        const first = yield* site.start()
        const putBack = backUpBefore(site, call)
        const { resource, uuid } = yield* site.order.vdc("made")
        const { backendId, backendMetadata } = resource
        yield* untilSettled(first)
        yield* first.stop
        const made = site.made()
        yield* putBack
        expect([site.marketplace.orders.get(uuid)?.state, resource.backendId]).toEqual([again, ""])

        const agent = yield* site.start()
        expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("done")
        const { opennebula_password: shown, ...metadata } = backendMetadata
        expect(resource).toMatchObject({ state: "OK", backendId, backendMetadata: metadata })
        expect(shown).toBeDefined()
        // The customer may have it: it holds, and what to do is said.
        expect(Object.keys(resource.backendMetadata)).not.toContain("opennebula_password")
        yield* site.awaitLogged((line) => line.includes(`site-actors reset-password ${resource.uuid}`))
        yield* site.awaitLogged((line) => line.includes("seems to have been put back to an earlier state"))
        expect(site.made()).toEqual(made)

        expect((yield* site.order.updateLimits(resource.uuid, doubled)).state).toBe("done")
        expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
        yield* expectNothingLeft(site, agent, ["made Terminated"])
      })
    )
  }
})

for (const [again, call] of [
  ["executing", "set_backend_id"],
  ["pending-provider", "approve_by_provider"]
] as const) {
  scenario(`an order that the journal has forgotten as done, and that is ${again} again, makes nothing twice`, () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const { resource: centre } = yield* site.order.vdc("centre")
      const putBack = backUpBefore(site, call)
      const { resource, uuid } = yield* site.order.vm("made", centre.backendId)
      expect((yield* site.order.switchToMedium(resource.uuid)).state).toBe("done")
      yield* untilSettled(agent)
      // The last order of a living resource is kept. The journal itself is older than all of them.
      const forgotten = yield* Effect.flatMap(SqlClient.SqlClient, (sql) =>
        Effect.zipRight(sql`UPDATE schema_version SET at = 1`, forget(Duration.zero))
      ).pipe(Effect.provide(agent.services))
      expect(forgotten).toBe(1)
      const made = site.made()
      const { backendId } = resource
      yield* putBack
      const order = site.marketplace.orders.get(uuid)
      if (order === undefined) return yield* Effect.dieMessage("the order is not there")
      Object.assign(order, { created: order.created - Duration.toMillis("3 days") })
      expect([order.state, resource.backendId]).toEqual([again, ""])
      expect((yield* site.marketplace.awaitOrderEnd(uuid)).state).toBe("done")
      expect(resource).toMatchObject({ state: "OK", backendId })
      expect(site.made()).toEqual(made)
      expect((yield* site.order.terminate(resource.uuid)).state).toBe("done")
      expect((yield* site.order.terminate(centre.uuid)).state).toBe("done")
      yield* expectNothingLeft(site, agent, ["centre Terminated", "made Terminated"])
    })
  )
}

describe("an order at its last word", () => {
  const rests = (activity: Activity) => activity._tag === "Order" && activity.event === "retrying"
  const isLast = ({ path }: IncomingCall) => path.endsWith("/set_state_done/")

  /** Waldur is put back to the moment before that call while `done` cannot be said. */
  const putBackAtLastWord = (site: Site, call: string, place: Effect.Effect<string, unknown>) =>
    Effect.gen(function* () {
      const putBack = backUpBefore(site, call)
      const mend = site.marketplace.intercept((incoming) => (isLast(incoming) ? fault.status(503) : undefined))
      const rested = site.activities.filter(rests).length
      const order = yield* place
      yield* site.awaitActivity(rests, rested + 1)
      yield* putBack
      mend()
      return yield* site.marketplace.awaitOrderEnd(order)
    })

  scenario("tells again what its resource has lost, whatever the order is for", () =>
    Effect.gen(function* () {
      const site = yield* makeSite({ vmSettings: { report_fixed_limits: true } })
      const agent = yield* site.start()
      const { resource: expected } = yield* site.order.vdc("expected")
      const created = yield* putBackAtLastWord(site, "set_backend_id", site.place.vdc("made"))
      expect(created.state).toBe("done")
      const { resource } = created
      const known = ({ backendMetadata }: Resource) => Object.keys(backendMetadata).toSorted()
      expect(known(resource)).toEqual(known(expected).filter((key) => key !== "opennebula_password"))
      expect(resource.backendId).not.toBe("")
      yield* site.awaitLogged((line) => line.includes("Waldur has lost what it was told of this order"))
      yield* site.awaitLogged((line) => line.includes(`site-actors reset-password ${resource.uuid}`))

      const { resource: machine } = yield* putBackAtLastWord(
        site,
        "set_backend_id",
        site.place.vm("machine", resource.backendId)
      )
      expect(machine.backendMetadata).toMatchObject({ ram_mb: 512 })
      expect(machine.limits).toMatchObject({ vm_ram: 512 })
      const switched = yield* putBackAtLastWord(site, "set_backend_metadata", site.place.switchToMedium(machine.uuid))
      expect(switched.state).toBe("done")
      expect(machine.backendMetadata).toMatchObject({ ram_mb: 1024 })
      expect(machine.limits).toMatchObject({ vm_ram: 1024 })

      expect((yield* site.order.terminate(machine.uuid)).state).toBe("done")
      for (const { uuid } of [expected, resource]) {
        const ended = yield* putBackAtLastWord(site, "set_state_done", site.place.terminate(uuid))
        expect(ended.state).toBe("done")
      }
      yield* expectNothingLeft(site, agent, ["expected Terminated", "made Terminated", "machine Terminated"])
    })
  )

  scenario("tells nothing again that its resource still has", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const mend = site.marketplace.intercept((incoming) => (isLast(incoming) ? fault.status(503) : undefined))
      const order = yield* site.place.vdc("patient")
      yield* site.awaitActivity(rests, 2)
      mend()
      const { resource, state } = yield* site.marketplace.awaitOrderEnd(order)
      expect(state).toBe("done")
      const told = site.marketplace.calls.filter(
        ({ method, path }) => method === "POST" && path.includes(resource.uuid) && !path.includes("set_state/")
      )
      expect(told.map(({ path }) => path.split("/").at(-2)).toSorted()).toEqual([
        "set_backend_id",
        "set_backend_metadata",
        "set_limits"
      ])
      yield* site.order.terminate(resource.uuid)
      yield* expectNothingLeft(site, agent, ["patient Terminated"])
    })
  )
})

describe("an order in work", () => {
  const stalls = (site: Site) =>
    site.cloud.intercept(({ method }) =>
      method === "one.vrouter.allocate" ? { _tag: "Drop", when: "before" } : undefined
    )
  const rests = (activity: { readonly _tag: string; readonly event?: string }) =>
    activity._tag === "Order" && activity.event === "retrying"

  scenario("that waits for its approval again gets it again, and is carried out once", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      stalls(site)
      const putBack = backUpBefore(site, "approve_by_provider")
      const order = yield* site.place.vdc("again")
      yield* site.awaitActivity(rests)
      yield* putBack
      site.cloud.intercept(undefined)
      const { resource, state } = yield* site.marketplace.awaitOrderEnd(order)
      expect(state).toBe("done")
      expect(site.cloud.calls.filter(({ method }) => method === "one.group.allocate")).toHaveLength(1)
      yield* site.order.terminate(resource.uuid)
      yield* expectNothingLeft(site, agent, ["again Terminated"])
    })
  )

  scenario("of which Waldur knows no more waits and says what to do; cancelled, it is undone", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const agent = yield* site.start()
      const putBack = backUp(site)
      stalls(site)
      const order = yield* site.place.vdc("unheard-of")
      yield* site.awaitActivity(rests)
      yield* putBack
      site.cloud.intercept(undefined)
      yield* site.awaitLogged((line) => line.includes("Waldur does not have this order (any more)"))
      // Its work is done, as far as that goes: it could not be cancelled if Waldur could be told.
      expect(site.made()).not.toEqual([])
      const visitor = { name: "somebody", role: "operator", by: "token" } as const
      const outcome = yield* perform(site.config, visitor, { kind: "cancel", order, reason: "" }).pipe(
        Effect.provide(agent.services)
      )
      expect(outcome).toMatchObject({ ok: true })
      yield* untilSettled(agent)
      yield* expectNothingLeft(site, agent, [])
    })
  )
})

scenario("what Waldur has forgotten is an orphan of its own kind, which is not removed with the others", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    const agent = yield* site.start()
    const putBack = backUp(site)
    const { resource: lives } = yield* site.order.vdc("lives")
    const { resource: ended } = yield* site.order.vdc("ended")
    yield* site.order.terminate(ended.uuid)
    yield* untilSettled(agent)
    // Somebody has made it anew by hand, with its tag.
    yield* site.cloud.call("one.vdc.allocate", [`NAME="again"\nWALDUR_RESOURCE_UUID="${ended.uuid}"`])
    yield* putBack
    const found = yield* Effect.flatMap(connectSites(site.config), findOrphans).pipe(
      Effect.scoped,
      Effect.provide(agent.services)
    )
    const why = (resource: string) => [
      ...new Set(found.filter((one) => one.resource === resource).map((one) => one.why))
    ]
    expect([why(lives.uuid), why(ended.uuid)]).toEqual([["forgotten"], ["unknown here"]])
  })
)
