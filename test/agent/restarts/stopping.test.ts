/** SIGTERM with orders in work: the agent ends within seconds, whatever they are waiting for, and the next one ends the orders. */
import { expect } from "@effect/vitest"
import { Array, Clock, Effect } from "effect"
import { afterCall, expectNothingLeft, kinds, makeSite, scenario, vdcObjects } from "../../support/agent.js"

scenario("an agent that waits for routers and for a front-end that hangs stops within seconds", () =>
  Effect.gen(function* () {
    const site = yield* makeSite({ cloud: { times: { boot: 1500 } } })
    const agent = yield* site.start()
    const uuids = yield* Effect.forEach(Array.range(1, 4), (number) => site.place.vdc(`stopped-${number}`))
    yield* afterCall(site, ({ method }) => method === "one.group.quota")
    site.cloud.intercept(() => ({ _tag: "Delay", when: "before", millis: 2500 }))
    const hanging = yield* site.place.vdc("stopped-5")
    yield* site.marketplace.awaitOrder(hanging, ({ state }) => state === "executing")

    const began = yield* Clock.currentTimeMillis
    yield* agent.stop
    // Of the hanging front-end's calls there are more than ten in this order, of 2.5 s each: it is not waited for.
    expect((yield* Clock.currentTimeMillis) - began).toBeLessThan(20_000)
    const calls = site.cloud.calls.length
    site.cloud.intercept(undefined)
    expect([...uuids, hanging].map((uuid) => site.marketplace.orders.get(uuid)?.state)).not.toContain("erred")

    const next = yield* site.start()
    const ended = yield* Effect.forEach([...uuids, hanging], site.marketplace.awaitOrderEnd, {
      concurrency: "unbounded"
    })
    expect(ended.map(({ state }) => state)).toEqual(["done", "done", "done", "done", "done"])
    expect(site.cloud.calls.length).toBeGreaterThan(calls)
    expect(kinds(site.made())).toEqual(
      Object.fromEntries(Object.entries(vdcObjects).map(([kind, count]) => [kind, count * 5]))
    )
    yield* Effect.forEach(ended, ({ resource }) => site.order.terminate(resource.uuid), { concurrency: "unbounded" })
    yield* expectNothingLeft(
      site,
      next,
      Array.range(1, 5).map((number) => `stopped-${number} Terminated`)
    )
  })
)
