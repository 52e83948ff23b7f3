import { expect, it } from "@effect/vitest"
import { Effect, Fiber, Ref, TestClock } from "effect"
import { Once } from "./once.js"

it.scoped("what is done once begins anew after a bug, and is over when it is done", () =>
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
