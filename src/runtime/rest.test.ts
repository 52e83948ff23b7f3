import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { collectAtRest, ownHeap } from "./rest.js"

const megabyte = 1_000_000

/** A heap of which `needed` MB are left by a collection, and a process that has something to do for `share` of the time. */
const setting = Effect.gen(function* () {
  const now = { used: 40, needed: 40, share: 0.1, busy: 0, collected: 0 }
  yield* Effect.forkScoped(
    collectAtRest({
      busy: () => now.busy,
      used: () => now.used * megabyte,
      collect: () => {
        now.collected += 1
        now.used = now.needed
      }
    })
  )
  yield* Effect.yieldNow()
  return {
    now,
    pass: (seconds: number) =>
      Effect.gen(function* () {
        for (let second = 0; second < seconds; second++) {
          now.busy += 1000 * now.share
          yield* TestClock.adjust("1 second")
        }
        return now.collected
      })
  }
})

describe("the heap", () => {
  it.scoped("is collected when the process rests, once for what has come on top", () =>
    Effect.gen(function* () {
      const { now, pass } = yield* setting
      now.share = 0.9
      now.used = 300
      now.needed = 60
      expect(yield* pass(60)).toBe(0)
      now.share = 0.1
      expect(yield* pass(60)).toBe(1)
      now.used = 90
      expect(yield* pass(60)).toBe(1)
      now.used = 100
      expect(yield* pass(60)).toBe(2)
    })
  )

  it("gives back what nobody needs any more", () => {
    const heap = Effect.runSync(ownHeap)
    // Other tests have left their own garbage here, which V8 may collect at any moment.
    heap.collect()
    const before = heap.used()
    let waste: ReadonlyArray<unknown> = Array.from({ length: 1_000_000 }, (_, number) => ({ number }))
    const full = heap.used()
    expect(full - before).toBeGreaterThan(10 * megabyte)
    waste = []
    heap.collect()
    expect(full - heap.used()).toBeGreaterThan(10 * megabyte)
    expect(waste).toEqual([])
    expect(heap.busy()).toBeGreaterThan(0)
  })
})
