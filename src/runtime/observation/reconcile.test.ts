import { expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { bounded } from "./reconcile.js"

it.effect("work between orders that never ends is broken off, and left for the next look", () =>
  Effect.gen(function* () {
    const hanging = yield* Effect.fork(Effect.flip(bounded(Effect.never)))
    yield* TestClock.adjust("119 minutes")
    expect((yield* Fiber.poll(hanging))._tag).toBe("None")
    yield* TestClock.adjust("1 minute")
    expect(yield* Fiber.join(hanging)).toMatchObject({ _tag: "NotYet", disposition: "retry" })
  })
)
