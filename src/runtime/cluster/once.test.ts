import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Ref, Scope, TestClock } from "effect"
import { singleProcess } from "../../../test/support/sharding.js"
import { LeaseLost, ResourceId } from "../../core/index.js"
import { makeHolding } from "../actors/holding.js"
import * as Database from "../journal/database.js"
import { JournalHealth } from "../journal/health.js"
import * as JournalLayer from "../journal/journal.js"
import { Metrics } from "../metrics/index.js"
import { Once, Placement } from "../placement/index.js"
import { Stopping } from "../placement/stopping.js"
import { once } from "./once.js"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-once-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

/** One process, which has all, and does not know that there is no other. */
const services = Layer.unwrapScoped(
  Effect.map(temporary, (directory) =>
    once("me").pipe(
      Layer.provideMerge(JournalLayer.layer),
      Layer.provideMerge(JournalHealth.layer("me")),
      Layer.provideMerge(Layer.mergeAll(Database.layer(directory), Metrics.layer, singleProcess, Stopping.layer)),
      Layer.provideMerge(
        Layer.succeed(Placement, {
          several: true,
          isOurs: () => Effect.succeed(true),
          self: "me",
          holders: Effect.succeed({ of: () => "me", all: "me" })
        })
      ),
      Layer.provide(NodeContext.layer)
    )
  )
)

describe("work that is done in one process at a time", () => {
  it.scopedLive("stops when it is placed elsewhere, with all that it has forked, whoever asked for it", () =>
    Effect.gen(function* () {
      const once = yield* Once
      const placed = yield* Scope.make()
      const begun = yield* Deferred.make<void>()
      const isStopped = yield* Ref.make(false)
      const work = Deferred.succeed(begun, undefined).pipe(
        Effect.zipRight(Effect.never),
        Effect.onInterrupt(() => Ref.set(isStopped, true))
      )
      // As offerings are run: all at once, each on a fiber that goes on.
      const asked = yield* Effect.forEach(
        [work],
        (one) => Effect.provideService(once.run("work", one), Scope.Scope, placed),
        {
          concurrency: "unbounded"
        }
      ).pipe(Effect.fork)
      yield* Deferred.await(begun)
      yield* Scope.close(placed, Exit.void)
      expect(yield* Ref.get(isStopped)).toBe(true)
      yield* Fiber.interrupt(asked)
    }).pipe(Effect.provide(services))
  )

  it.scoped("begins anew after a bug, in one process as well, and is over when it is done", () =>
    Effect.gen(function* () {
      const begun = yield* Ref.make(0)
      const work = Effect.flatMap(
        Ref.updateAndGet(begun, (times) => times + 1),
        (times) => (times < 3 ? Effect.dieMessage("a bug") : Effect.void)
      )
      const running = yield* Effect.fork(Effect.flatMap(Once, (once) => once.run("looks", work)))
      yield* TestClock.adjust("1 second")
      expect(yield* Ref.get(begun)).toBe(1)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(running)
      expect(yield* Ref.get(begun)).toBe(3)
    }).pipe(Effect.provide(Once.single))
  )
})

describe("an actor that has lost its resource to another process", () => {
  it.scoped("takes it again after five seconds, if the address book has it here", () =>
    Effect.gen(function* () {
      const journal = yield* JournalLayer.Journal
      const resource = ResourceId.make("0".repeat(32))
      const holding = yield* makeHolding(resource, "me")
      yield* journal.lease(resource, "another")
      const look = holding.under((lease) =>
        Effect.flatMap(Effect.orDie(journal.holds(lease)), (holds) =>
          holds ? Effect.succeed("held") : new LeaseLost({ resource, epoch: lease.epoch })
        )
      )
      expect(yield* look).toBe("moved")
      expect(yield* look).toBe("moved")
      yield* TestClock.adjust("5 seconds")
      expect(yield* look).toBe("held")
    }).pipe(Effect.provide(services))
  )
})
