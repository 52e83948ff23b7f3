import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Scheduler, TestClock } from "effect"
import { firstCome, makeFairLimiter } from "./fairLimiter.js"

/** Starts `owner`'s calls one after the other, each a second long, and notes in which order they begin. */
const burst = (limiter: ReturnType<typeof makeFairLimiter>, began: Array<string>, owner: string, calls: number) =>
  Effect.forEach(
    Array.from({ length: calls }, (_, index) => `${owner}${index + 1}`),
    (name) =>
      Effect.sync(() => began.push(name)).pipe(
        Effect.zipRight(Effect.sleep("1 second")),
        limiter.withPlace(owner),
        Effect.fork,
        Effect.tap(() => Effect.yieldNow())
      )
  )

describe("the limiter", () => {
  it.effect("lets owners take turns, so that a burst does not make others wait behind it", () =>
    Effect.gen(function* () {
      const limiter = makeFairLimiter(1)
      const began: Array<string> = []
      yield* burst(limiter, began, "a", 5)
      yield* burst(limiter, began, "b", 2)
      yield* burst(limiter, began, "c", 1)
      yield* TestClock.adjust("8 seconds")
      expect(began).toEqual(["a1", "a2", "b1", "c1", "a3", "b2", "a4", "a5"])
      expect(yield* limiter.state).toEqual({ running: 0, waiting: 0 })
    })
  )

  it.effect("never lets more run than it has places", () =>
    Effect.gen(function* () {
      const limiter = makeFairLimiter(3)
      let most = 0
      let now = 0
      const one = Effect.acquireUseRelease(
        Effect.sync(() => {
          now += 1
          most = Math.max(most, now)
        }),
        () => Effect.sleep("1 second"),
        () => Effect.sync(() => (now -= 1))
      )
      const all = Array.from({ length: 20 }, (_, index) => limiter.withPlace(`owner ${index % 4}`)(one))
      const fiber = yield* Effect.fork(Effect.all(all, { concurrency: "unbounded" }))
      yield* TestClock.adjust("6 seconds")
      expect(fiber.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      expect(most).toBe(3)
    })
  )

  it.effect("wakes each of a thousand who wait once, when it is his turn", () =>
    Effect.gen(function* () {
      let tasks = 0
      const plain = new Scheduler.MixedScheduler(2048)
      const counting: Scheduler.Scheduler = {
        shouldYield: (fiber) => plain.shouldYield(fiber),
        scheduleTask: (task, priority) => {
          tasks += 1
          plain.scheduleTask(task, priority)
        }
      }
      const inTurn = firstCome(1)
      const began: Array<number> = []
      const numbers = Array.from({ length: 1000 }, (_, index) => index)
      yield* Effect.forEach(
        numbers,
        (number) =>
          inTurn(
            Effect.zipRight(
              Effect.sync(() => began.push(number)),
              Effect.yieldNow()
            )
          ),
        { concurrency: "unbounded" }
      ).pipe(Effect.withScheduler(counting))
      expect(began).toEqual(numbers)
      // Everybody woken at each release would be half a million.
      expect(tasks).toBeLessThan(20_000)
    })
  )

  it.effect("gives a place back when its holder is interrupted, fails or dies", () =>
    Effect.gen(function* () {
      const limiter = makeFairLimiter(1)
      const holder = yield* Effect.fork(limiter.withPlace("a")(Effect.never))
      yield* Effect.yieldNow()
      const next = yield* Effect.fork(limiter.withPlace("b")(Effect.succeed("done")))
      yield* Effect.yieldNow()
      expect(yield* limiter.state).toEqual({ running: 1, waiting: 1 })
      yield* Fiber.interrupt(holder)
      expect(yield* Fiber.join(next)).toBe("done")
      yield* Effect.exit(limiter.withPlace("a")(Effect.fail("no")))
      yield* Effect.exit(limiter.withPlace("a")(Effect.die("bug")))
      expect(yield* limiter.state).toEqual({ running: 0, waiting: 0 })
    })
  )

  it.effect("forgets who is interrupted while waiting, and keeps the turns of the others", () =>
    Effect.gen(function* () {
      const limiter = makeFairLimiter(1)
      const began: Array<string> = []
      yield* burst(limiter, began, "a", 1)
      const [first] = yield* burst(limiter, began, "b", 2)
      yield* burst(limiter, began, "c", 1)
      if (first !== undefined) yield* Fiber.interrupt(first)
      expect(yield* limiter.state).toEqual({ running: 1, waiting: 2 })
      yield* TestClock.adjust("3 seconds")
      expect(began).toEqual(["a1", "b2", "c1"])
      expect(yield* limiter.state).toEqual({ running: 0, waiting: 0 })
    })
  )

  it.effect("gives back a place that was granted to somebody who was interrupted in the same moment", () =>
    Effect.gen(function* () {
      const limiter = makeFairLimiter(1)
      const end = yield* Deferred.make<void>()
      yield* Effect.fork(limiter.withPlace("a")(Deferred.await(end)))
      yield* Effect.yieldNow()
      const waiting = yield* Effect.fork(limiter.withPlace("b")(Effect.void))
      yield* Effect.yieldNow()
      // Both before anybody else runs: the interruption is on its way when the place is granted.
      const interruption = yield* Effect.fork(Fiber.interrupt(waiting))
      yield* Deferred.succeed(end, undefined)
      yield* Fiber.join(interruption)
      expect(yield* limiter.withPlace("c")(Effect.succeed("served"))).toBe("served")
      expect(yield* limiter.state).toEqual({ running: 0, waiting: 0 })
    })
  )

  it.effect("serves at once those for whom places are added", () =>
    Effect.gen(function* () {
      const limiter = makeFairLimiter(1)
      const began: Array<string> = []
      yield* burst(limiter, began, "a", 4)
      yield* limiter.resize(3)
      yield* Effect.yieldNow()
      expect(began).toEqual(["a1", "a2", "a3"])
    })
  )
})
