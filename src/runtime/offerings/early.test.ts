import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { OrderId, steadyMillis } from "../../core/index.js"
import { makeEarlyReads } from "./early.js"

const [one, two] = [OrderId.make("1".repeat(32)), OrderId.make("2".repeat(32))]

describe("what a look at the queue has seen of an order", () => {
  it.scoped("saves one read of it, for some seconds from when the look began", () =>
    Effect.gen(function* () {
      const early = yield* makeEarlyReads({ resource: () => Effect.never })
      expect(yield* early.executes(one)).toBe(false)
      const since = yield* steadyMillis
      // So long the queue's pages took.
      yield* TestClock.adjust("4 seconds")
      yield* early.listed([one, two], since)
      expect([yield* early.executes(one), yield* early.executes(one)]).toEqual([true, false])
      yield* TestClock.adjust("2 seconds")
      expect(yield* early.executes(two)).toBe(false)
    })
  )

  it.scoped("counts at the first look alone: whatever goes on later has rested, and may have been ended", () =>
    Effect.gen(function* () {
      const early = yield* makeEarlyReads({ resource: () => Effect.never })
      yield* early.listed([one], yield* steadyMillis)
      expect(yield* early.executes(one)).toBe(true)
      yield* early.listed([one, two], yield* steadyMillis)
      expect([yield* early.executes(one), yield* early.executes(two)]).toEqual([false, false])
    })
  )
})
