import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, TestClock } from "effect"
import { shared, sharedByKey } from "./shared.js"

/** A read that takes a second, and gives which one it was. */
const counted = () => {
  let reads = 0
  const read = Effect.suspend(() => {
    reads += 1
    return Effect.delay(Effect.succeed(reads), "1 second")
  })
  return { one: shared(read), reads: () => reads }
}

describe("a read that is shared", () => {
  it.effect("answers nobody with what was read before he asked, and all who wait with one read", () =>
    Effect.gen(function* () {
      const { one, reads } = counted()
      const first = yield* Effect.fork(one)
      yield* TestClock.adjust("500 millis")
      const others = yield* Effect.forEach([1, 2, 3], () => Effect.fork(one))
      yield* TestClock.adjust("500 millis")
      expect(yield* Fiber.join(first)).toBe(1)
      yield* TestClock.adjust("1 second")
      expect(yield* Effect.forEach(others, Fiber.join)).toEqual([2, 2, 2])
      expect(reads()).toBe(2)
      const alone = yield* Effect.fork(one)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(alone)).toBe(3)
    })
  )

  it.effect("is made again for those who wait when whoever made it is interrupted, or was about to", () =>
    Effect.gen(function* () {
      const { one } = counted()
      const first = yield* Effect.fork(one)
      yield* Effect.yieldNow()
      const second = yield* Effect.fork(one)
      const third = yield* Effect.fork(one)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(first)
      yield* Effect.yieldNow()
      const fourth = yield* Effect.fork(one)
      yield* Fiber.interrupt(second)
      yield* TestClock.adjust("2 seconds")
      expect(Exit.isSuccess(yield* Fiber.await(third))).toBe(true)
      expect(Exit.isSuccess(yield* Fiber.await(fourth))).toBe(true)
    })
  )

  it.effect("that fails, fails for those whom it was made for, and for no other", () =>
    Effect.gen(function* () {
      let reads = 0
      const one = shared(
        Effect.suspend(() => {
          reads += 1
          return Effect.delay(reads === 2 ? Effect.fail("no") : Effect.succeed(reads), "1 second")
        })
      )
      const first = yield* Effect.fork(one)
      yield* Effect.yieldNow()
      const others = yield* Effect.forEach([1, 2], () => Effect.fork(one))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(first)).toBe(1)
      expect(yield* Effect.forEach(others, (fiber) => Effect.flip(Fiber.join(fiber)))).toEqual(["no", "no"])
      const later = yield* Effect.fork(one)
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(later)).toBe(3)
    })
  )
})

describe("reads that are shared by key", () => {
  it.effect("are one for all who ask of the same, and make nobody wait who asks of another", () =>
    Effect.gen(function* () {
      const read: Array<string> = []
      const of = sharedByKey((key: string) =>
        Effect.suspend(() => {
          read.push(key)
          return Effect.delay(Effect.succeed(`${key} ${read.length}`), "1 second")
        })
      )
      const asked = yield* Effect.forEach(["a", "a", "a", "b"], (key) => Effect.fork(of(key)))
      yield* TestClock.adjust("2 seconds")
      expect(yield* Effect.forEach(asked, Fiber.join)).toEqual(["a 1", "a 3", "a 3", "b 2"])
      expect(read).toEqual(["a", "b", "a"])
      // Nothing of before is left.
      const again = yield* Effect.fork(of("a"))
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(again)).toBe("a 4")
    })
  )
})
