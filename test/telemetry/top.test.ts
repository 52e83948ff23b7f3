/** What `site-actors top` and `resource` read of a running agent. */
import { FileSystem } from "@effect/platform"
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Option } from "effect"
import { keepCallsFile, readCallsFile } from "../../src/runtime/activity/calls-file.js"
import { drawn, picture as pictureOf } from "../../src/runtime/cli/commands/top.js"
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
        yield* Effect.forkScoped(keepCallsFile(site.dataDir))
        const picture = pictureOf(site.dataDir)
        const during = yield* Effect.delay(picture, "50 millis").pipe(
          Effect.repeat({
            until: ({ systems }) => systems?.some(({ longest }) => longest?.call === "one.vdc.allocate") === true
          }),
          Effect.timeout("60 seconds")
        )
        expect(during.agent).toMatchObject({ runs: true })
        expect(during.counts).toEqual({ executing: 1 })
        expect(during.orders).toMatchObject([{ order, name: "watched", type: "Create", state: "executing" }])
        expect(drawn(during)).toContain("watched")
        // The call that is held, and how those before it went.
        const cloud = during.systems?.find(({ system }) => system === "opennebula")
        expect(cloud).toMatchObject({ longest: { call: "one.vdc.allocate" }, p50: expect.any(Number) })
        expect(cloud?.underWay).toBeGreaterThan(0)
        expect(cloud?.calls).toBeGreaterThan(0)
        expect(drawn(during)).toMatch(/^opennebula +\d+ +\d+ +\d+ .*one\.vdc\.allocate/m)
        yield* Deferred.succeed(open, undefined)
        const after = yield* Effect.delay(picture, "50 millis").pipe(
          Effect.repeat({ until: ({ orders }) => orders.length === 0 }),
          Effect.timeout("60 seconds")
        )
        expect(after.counts).toEqual({ done: 1 })
        expect(drawn(after)).toContain("No order is in work.")
        // What nobody writes any more is not shown.
        const old = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        yield* (yield* FileSystem.FileSystem).writeFileString(`${old}/calls.json`, '{"at":1,"systems":[]}')
        expect(Option.isNone(yield* readCallsFile(old))).toBe(true)
        const [resource] = [...site.marketplace.resources.keys()]
        expect(yield* resourcesLike((resource ?? "").slice(0, 6))).toMatchObject([
          { resource, name: "watched", life: "active" }
        ])
        expect(yield* ordersOf(resource ?? "")).toMatchObject([{ order, state: "done" }])
      }).pipe(Effect.provide(agent.services))
    })
  )
})
