import { describe, expect, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, FiberRef, TestClock } from "effect"
import { sideBySide } from "./sideBySide.js"

describe("things that are done side by side", () => {
  it.effect("give what came of each, in their order, whichever ends first", () =>
    Effect.gen(function* () {
      const slow = Effect.delay(Effect.succeed("slow"), "2 seconds")
      const fiber = yield* Effect.fork(
        sideBySide(slow, Effect.succeed(1), Effect.delay(Effect.succeed(true), "1 second"))
      )
      yield* TestClock.adjust("2 seconds")
      expect(yield* Fiber.join(fiber)).toEqual(["slow", 1, true])
    })
  )

  it.effect("are all begun at once", () =>
    Effect.gen(function* () {
      const told = yield* Deferred.make<string>()
      expect(yield* sideBySide(Deferred.await(told), Deferred.succeed(told, "by the other"))).toEqual([
        "by the other",
        true
      ])
    })
  )

  it.effect("fail as the first of them does, once the others have been interrupted and have ended", () =>
    Effect.gen(function* () {
      const happened: Array<string> = []
      const other = Effect.never.pipe(
        Effect.onInterrupt(() =>
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => happened.push("has ended"))
          )
        )
      )
      const exit = yield* Effect.exit(sideBySide(other, Effect.zipRight(Effect.yieldNow(), Effect.fail("no")), other))
      expect(Exit.isFailure(exit) && [...Cause.failures(exit.cause)]).toEqual(["no"])
      expect(happened).toEqual(["has ended", "has ended"])
    })
  )

  it.effect("die of a bug in one of them", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(sideBySide(Effect.never, Effect.die("a bug")))
      expect(Exit.isFailure(exit) && [...Cause.defects(exit.cause)]).toEqual(["a bug"])
    })
  )

  it.effect("end with whoever waits for them, and are waited for", () =>
    Effect.gen(function* () {
      const happened: Array<string> = []
      const begun = yield* Deferred.make<void>()
      const work = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never).pipe(
        Effect.onInterrupt(() =>
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => happened.push("has ended"))
          )
        )
      )
      const fiber = yield* Effect.fork(sideBySide(work, work))
      yield* Deferred.await(begun)
      yield* Effect.yieldNow()
      expect(Exit.isInterrupted(yield* Fiber.interrupt(fiber))).toBe(true)
      expect(happened).toEqual(["has ended", "has ended"])
    })
  )

  it.effect("may not be interrupted where whoever waits may not", () =>
    Effect.gen(function* () {
      const held = yield* Deferred.make<string>()
      const begun = yield* Deferred.make<void>()
      const work = Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(held))
      const seen: Array<unknown> = []
      const both = Effect.tap(sideBySide(work, Effect.succeed(1)), (came) => Effect.sync(() => seen.push(...came)))
      const fiber = yield* Effect.fork(Effect.uninterruptible(both))
      yield* Deferred.await(begun)
      const interrupting = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(held, "done")
      yield* Fiber.join(interrupting)
      expect(seen).toEqual(["done", 1])
    })
  )

  it.effect("have of the fiber what it has, and keep what they set", () =>
    Effect.gen(function* () {
      const name = FiberRef.unsafeMake("nobody")
      yield* FiberRef.set(name, "Alice")
      const rename = (to: string) => Effect.zipLeft(FiberRef.get(name), FiberRef.set(name, to))
      expect(yield* sideBySide(rename("Bob"), rename("Eve"))).toEqual(["Alice", "Alice"])
      expect(yield* FiberRef.get(name)).toBe("Alice")
    })
  )
})
