import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Schedule, TestClock } from "effect"
import { steadyMillis, upToSteadily, withTimeOfDay } from "./elapsed.js"

describe("the clock that nobody sets", () => {
  it.effect("goes on by what has passed, in milliseconds", () =>
    Effect.gen(function* () {
      const before = yield* steadyMillis
      yield* TestClock.adjust("1500 millis")
      expect((yield* steadyMillis) - before).toBe(1_500)
    })
  )

  for (const [direction, hours] of [
    ["forward", 1],
    ["back", -1]
  ] as const) {
    it.effect(`ends a schedule at its time, though the time of day jumps an hour ${direction}`, () => {
      let jump = 0
      let runs = 0
      return Effect.gen(function* () {
        const clock = yield* Effect.clock
        const fiber = yield* Effect.sync(() => (runs += 1)).pipe(
          Effect.zipRight(Effect.fail("again")),
          Effect.retry(upToSteadily("10 seconds")(Schedule.spaced("1 second"))),
          Effect.exit,
          Effect.withClock(withTimeOfDay(clock, () => clock.unsafeCurrentTimeMillis() + jump)),
          Effect.fork
        )
        yield* TestClock.adjust("3 seconds")
        jump = hours * Duration.toMillis("1 hour")
        yield* TestClock.adjust("3 seconds")
        expect(runs).toBe(7)
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(fiber)
        expect(runs).toBe(11)
      })
    })
  }
})
