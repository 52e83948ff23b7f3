import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { OrderId } from "../../core/index.js"
import { makeEarlyReads } from "./early.js"

const [one, two] = [OrderId.make("1".repeat(32)), OrderId.make("2".repeat(32))]

describe("what a look at the queue has seen of an order", () => {
  it.scoped("saves one read of it, for some seconds, and not what an earlier look has seen", () =>
    Effect.gen(function* () {
      const early = yield* makeEarlyReads({ resource: () => Effect.never })
      expect(yield* early.executes(one)).toBe(false)
      yield* early.listed([one])
      expect([yield* early.executes(one), yield* early.executes(one)]).toEqual([true, false])
      yield* early.listed([one, two])
      yield* TestClock.adjust("4 seconds")
      expect(yield* early.executes(two)).toBe(true)
      yield* TestClock.adjust("2 seconds")
      expect(yield* early.executes(one)).toBe(false)
      yield* early.listed([one])
      yield* early.listed([two])
      expect(yield* early.executes(one)).toBe(false)
    })
  )
})
