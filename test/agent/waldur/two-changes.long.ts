/**
 * An order that had erred is taken up again while the next one of its resource is at work: two of one type execute, and Waldur ends neither, though it answers
 * 200 (source: waldur-mastermind, marketplace/callbacks.py, `set_order_state`).
 */
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { OrderId } from "../../../src/core/index.js"
import { retry } from "../../../src/runtime/control/desk.js"
import type { Order } from "../../../src/simulator/waldur/index.js"
import { setErred, retry as takeUpAgain } from "../../../src/simulator/waldur/orders.js"
import { moveOrder, moveResource, removeOrder } from "../../../src/simulator/waldur/world.js"
import { away, doubled, makeSite, type Site, scenario, vdcLimits } from "../../support/agent.js"
import { refuse } from "../../support/vmCloud.js"

const larger = { ...vdcLimits, cpu: 5 }
const cpuOf = ({ cloud }: Site, backendId: string) =>
  cloud.world.groups.find(Number(backendId))?.quotas.VM[0]?.limits.get("CPU")

/** A change that has erred, and the next one, which is at work until `goOn`. */
const twoChanges = Effect.gen(function* () {
  const site = yield* makeSite()
  const agent = yield* site.start()
  const { resource } = yield* site.order.vdc("centre")
  site.cloud.intercept((call) => (call.method === "one.group.quota" ? refuse(call) : undefined))
  const first = yield* site.order.updateLimits(resource.uuid, larger)
  expect(first.state).toBe("erred")
  // By its provider: what has erred takes no further change.
  moveResource(site.marketplace.world, resource, "OK")
  const gate = yield* Deferred.make<void>()
  const atWork = yield* Deferred.make<void>()
  site.cloud.intercept(({ method }) =>
    method === "one.group.quota"
      ? {
          _tag: "Hold",
          when: "before",
          until: Effect.zipRight(Deferred.succeed(atWork, undefined), Deferred.await(gate))
        }
      : undefined
  )
  const next = yield* site.place.updateLimits(resource.uuid, doubled)
  yield* Deferred.await(atWork)
  return { agent, first, goOn: Deferred.succeed(gate, undefined), next, resource, site }
})

const isNext = (site: Site, { first, next }: { readonly first: Order; readonly next: string }) =>
  Effect.gen(function* () {
    const done = yield* site.marketplace.awaitOrderEnd(next)
    expect([done.state, done.errorMessage]).toEqual(["done", ""])
    expect([first.state, first.errorMessage]).toEqual([
      "erred",
      expect.stringContaining(`Another order for this resource (${next}) is being carried out`)
    ])
    expect(done.resource).toMatchObject({ state: "OK", limits: doubled })
    expect(cpuOf(site, done.resource.backendId)).toBe(doubled.cpu)
  })

describe("an erred change that Waldur takes up again while the next one is at work", () => {
  scenario("errs once more, with a sentence, and the next one is done", () =>
    Effect.gen(function* () {
      const both = yield* twoChanges
      takeUpAgain(both.site.marketplace.world, both.first)
      yield* both.goOn
      yield* isNext(both.site, both)
    }).pipe(Effect.timeout("120 seconds"))
  )

  scenario("also where that was while the agent was down", () =>
    Effect.gen(function* () {
      const both = yield* twoChanges
      const { agent, first, goOn, site } = both
      // From here on it rests, and has not ended when the agent does.
      site.cloud.intercept(() => away)
      yield* goOn
      yield* agent.stop
      expect(site.marketplace.orders.get(both.next)?.state).toBe("executing")
      takeUpAgain(site.marketplace.world, first)
      site.cloud.intercept(() => undefined)
      yield* site.start()
      yield* isNext(site, both)
    }).pipe(Effect.timeout("120 seconds"))
  )

  scenario("is not taken up again by the agent's own retry", () =>
    Effect.gen(function* () {
      const { agent, first, goOn, next } = yield* twoChanges
      expect(yield* Effect.provide(retry(OrderId.make(first.uuid)), agent.services)).toEqual({
        ok: false,
        outcome: `Its resource has another order by now (${next}, Update, executing): this one can be taken up again when that one has ended.`
      })
      expect(first.state).toBe("erred")
      yield* goOn
    }).pipe(Effect.timeout("120 seconds"))
  )
})

describe("an end that had failed, and that Waldur takes up again while the next one is at work", () => {
  scenario("waits once the resource has ended, and says what its staff has to do; others go on", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      yield* site.start()
      const { resource } = yield* site.order.vdc("centre")
      const world = site.marketplace.world
      site.cloud.intercept((call) => (call.method === "one.vrouter.delete" ? refuse(call) : undefined))
      const first = yield* site.order.terminate(resource.uuid)
      expect(first.state).toBe("erred")
      const gate = yield* Deferred.make<void>()
      const atWork = yield* Deferred.make<void>()
      site.cloud.intercept(({ method }) =>
        method === "one.vrouter.delete"
          ? {
              _tag: "Hold",
              when: "before",
              until: Effect.zipRight(Deferred.succeed(atWork, undefined), Deferred.await(gate))
            }
          : undefined
      )
      const next = yield* site.place.terminate(resource.uuid)
      yield* Deferred.await(atWork)
      takeUpAgain(world, first)
      yield* Deferred.succeed(gate, undefined)
      yield* site.awaitLogged((line) => line.includes("Waldur can end neither of two") && line.includes(next))
      expect(site.made()).toEqual([])
      expect((yield* site.order.vdc("another")).state).toBe("done")
      removeOrder(world, first)
      expect((yield* site.marketplace.awaitOrderEnd(next)).state).toBe("done")
      expect(resource.state).toBe("Terminated")
    }).pipe(Effect.timeout("120 seconds"))
  )
})

describe("an order that Waldur has executing although it has taken that it is done", () => {
  scenario("waits, says which order is in the way, and is over when that is", () =>
    Effect.gen(function* () {
      const { first, goOn, next, site } = yield* twoChanges
      const { world } = site.marketplace
      // Of an agent whose journal did not know that it had erred, it would be carried out: it is put beside only when it would be told.
      const beside = { ...first, uuid: "e".repeat(32), state: "pending-consumer" as const }
      world.orders.set(beside.uuid, beside)
      world.ordersOf.get(first.resource)?.add(beside)
      moveOrder(world, beside, "executing")
      yield* goOn
      yield* site.awaitLogged((line) => line.includes("has it executing all the same") && line.includes(beside.uuid))
      const told = site.marketplace.orders.get(next)
      expect(told?.state).toBe("executing")
      setErred(world, beside, "by staff", "")
      expect((yield* site.marketplace.awaitOrderEnd(next)).state).toBe("done")
    }).pipe(Effect.timeout("120 seconds"))
  )
})
