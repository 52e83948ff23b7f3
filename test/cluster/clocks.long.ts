/** Two processes over one PostgreSQL whose machines' clocks are far apart. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { atWork, orNever } from "../crash/waits.js"
import { makeClusterSite } from "./site.js"

withAgent("two processes over one PostgreSQL", (it) => {
  it.scoped(
    "go by one time of day, though the clocks of their machines are a quarter of an hour apart",
    () =>
      Effect.gen(function* () {
        const main = yield* AgentMain
        const site = yield* makeClusterSite({
          main,
          processes: 2,
          takeover: 3,
          bootTime: 15_000,
          pollInterval: 1,
          ahead: (name) => (name === 1 ? -8 : 7)
        })
        const [behind, ahead] = site.nodes
        if (behind === undefined || ahead === undefined) return
        const done = (uuid: string) =>
          Effect.map(orNever(() => `the end of order ${uuid}`)(site.marketplace.awaitOrderEnd(uuid)), (order) =>
            expect([order.state, order.errorMessage]).toEqual(["done", ""])
          )
        yield* done(yield* site.place.vdc())
        // The one that is behind has all of it, and tells the machine to boot: by its own clock 15 minutes ago, for the other one.
        ahead.agent.kill()
        yield* ahead.agent.ended
        const machine = yield* site.place.vm()
        yield* site.journal.pipe(
          Effect.delay("100 millis"),
          Effect.repeat({
            until: ({ rows }) =>
              rows.some(
                ({ event, order_id, step }) => order_id === machine && step === "release" && event === "finished"
              )
          }),
          orNever(() => "the machine told to boot")
        )
        const next = yield* ahead.restart
        yield* atWork(site, next)
        behind.agent.kill()
        yield* done(machine)
        expect(next.output()).toContain("ahead of the database's: orders are timed by that one")
      }),
    long
  )
})
