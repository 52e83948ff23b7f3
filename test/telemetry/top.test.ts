/** What `site-actors top` and `resource` read of a running agent. */
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { drawn, picture } from "../../src/runtime/cli/top.js"
import { ordersOf, resourcesLike } from "../../src/runtime/journal/in-short.js"
import { makeSite, scenario } from "../support/agent.js"

describe("the live view", () => {
  scenario("has the order in work with its step, and what ended", () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      const open = yield* Deferred.make<void>()
      site.cloud.intercept(({ method }) =>
        method === "one.vdc.allocate" ? { _tag: "Hold", when: "before", until: Deferred.await(open) } : undefined
      )
      const agent = yield* site.start()
      const order = yield* site.place.vdc("watched")
      yield* Effect.gen(function* () {
        const during = yield* Effect.delay(picture, "50 millis").pipe(
          Effect.repeat({ until: ({ orders }) => orders.some(({ last }) => last.includes("started")) }),
          Effect.timeout("60 seconds")
        )
        expect(during.agent).toMatchObject({ runs: true })
        expect(during.counts).toEqual({ executing: 1 })
        expect(during.orders).toMatchObject([{ order, name: "watched", type: "Create", state: "executing" }])
        expect(drawn(during)).toContain("watched")
        yield* Deferred.succeed(open, undefined)
        const after = yield* Effect.delay(picture, "50 millis").pipe(
          Effect.repeat({ until: ({ orders }) => orders.length === 0 }),
          Effect.timeout("60 seconds")
        )
        expect(after.counts).toEqual({ done: 1 })
        expect(drawn(after)).toContain("No order is in work.")
        const [resource] = [...site.marketplace.resources.keys()]
        expect(yield* resourcesLike((resource ?? "").slice(0, 6))).toMatchObject([
          { resource, name: "watched", life: "active" }
        ])
        expect(yield* ordersOf(resource ?? "")).toMatchObject([{ order, state: "done" }])
      }).pipe(Effect.provide(agent.services))
    })
  )
})
