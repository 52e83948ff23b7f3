/** SIGTERM while twenty orders are in work. */
import { expect } from "@effect/vitest"
import { Array, Clock, Deferred, Effect, Exit } from "effect"
import { long, newSite, withAgent } from "./harness.js"
import { readJournal } from "./journal.js"
import { untagged } from "./picture.js"
import { pictureOf } from "./trial.js"
import { atWork, ended, stopped } from "./waits.js"
import { watchForDoubles } from "./watch.js"

const names = Array.makeBy(20, (index) => `load-${index + 1}`)

withAgent("SIGTERM under load", (it) => {
  it.scoped(
    "ends the agent within 10 s; the next one finishes all orders, and nothing is made twice",
    () =>
      Effect.gen(function* () {
        const site = yield* newSite()
        const { made } = watchForDoubles(site.cloud)
        const first = yield* site.start()
        yield* atWork(site, first)
        const inWork = yield* Deferred.make<void>()
        site.tap.guard(({ name }) => {
          if (name === "one.vrouter.allocate") Deferred.unsafeDone(inWork, Exit.void)
          return "pass"
        })
        const orders = yield* Effect.forEach(names, (name) => site.place.vdc(name), { concurrency: 4 })
        yield* Deferred.await(inWork)
        const asked = yield* Clock.currentTimeMillis
        const end = yield* stopped(first)
        const took = (yield* Clock.currentTimeMillis) - asked
        const open = readJournal(site.dataDir).openOrders.length
        yield* Effect.log(`${open} of ${orders.length} orders in work; exit after ${took} ms`)
        expect(end).toEqual({ code: 0, signal: null })
        expect(took).toBeLessThan(10_000)
        expect(open).toBeGreaterThan(0)

        yield* site.start()
        const results = yield* Effect.forEach(orders, (order) => ended(site, order), { concurrency: "unbounded" })
        expect(results.map(({ state }) => state)).toEqual(orders.map(() => "done"))
        const making = ["one.group.allocate", "one.vdc.allocate", "one.vn.allocate", "one.vrouter.allocate"]
        for (const method of [...making, "one.vrouter.instantiate", "one.secgroup.allocate", "one.user.allocate"]) {
          expect([method, made.get(method)]).toEqual([method, orders.length])
        }
        expect(untagged(pictureOf(site)).filter((line) => line.includes("load"))).toEqual([])
        const subnets = [...site.marketplace.resources.values()].map(
          ({ backendMetadata }) => backendMetadata.subnet_cidr
        )
        expect(new Set(subnets).size).toBe(orders.length)
      }),
    long
  )
})
