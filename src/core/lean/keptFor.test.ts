import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { withTimeOfDay } from "./elapsed.js"
import { keptFor } from "./keptFor.js"

/** A read that takes a second, and gives which one it was. */
const counted = (fails: (read: number) => boolean = () => false) => {
  let reads = 0
  return keptFor(
    "1 minute",
    Effect.suspend(() => {
      reads += 1
      return Effect.delay(fails(reads) ? Effect.fail(reads) : Effect.succeed(reads), "1 second")
    })
  )
}

/** What comes of it within a second. */
const within = <A, E>(asked: Effect.Effect<A, E>) =>
  Effect.flatMap(Effect.fork(asked), (fiber) => Effect.zipRight(TestClock.adjust("1 second"), Fiber.join(fiber)))

describe("what is kept for a minute", () => {
  it.effect("is read anew when that is over, and once for all who ask meanwhile", () =>
    Effect.gen(function* () {
      const one = counted()
      expect(yield* within(Effect.all([one, one, one], { concurrency: 3 }))).toEqual([1, 1, 1])
      yield* TestClock.adjust("58 seconds")
      expect(yield* one).toBe(1)
      yield* TestClock.adjust("1 second")
      expect(yield* within(one)).toBe(2)
    })
  )

  it.effect("is so also where the time of day was set back by an hour, or forward", () =>
    Effect.gen(function* () {
      const own = yield* Effect.clock
      for (const by of [-3_600_000, 3_600_000]) {
        let shift = 0
        const clock = withTimeOfDay(own, () => own.unsafeCurrentTimeMillis() + shift)
        const one = Effect.withClock(counted(), clock)
        expect(yield* within(one)).toBe(1)
        shift = by
        expect(yield* one).toBe(1)
        yield* TestClock.adjust("1 minute")
        expect(yield* within(one)).toBe(2)
      }
    })
  )

  it.effect("is nothing that failed", () =>
    Effect.gen(function* () {
      const one = counted((read) => read === 1)
      expect(yield* within(Effect.flip(one))).toBe(1)
      expect(yield* within(one)).toBe(2)
    })
  )
})
