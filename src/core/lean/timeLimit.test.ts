import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Ref, TestClock } from "effect"
import { describe, expect } from "vitest"
import { makeTimeLimit } from "./timeLimit.js"

describe("a time limit that many share", () => {
  it.scoped("gives what was done in time, and its failure", () =>
    Effect.gen(function* () {
      const { within } = yield* makeTimeLimit("1 second")
      expect(yield* within(Effect.succeed(7), () => "late")).toBe(7)
      expect(yield* Effect.flip(within(Effect.fail("no"), () => "late"))).toBe("no")
      expect(Exit.isFailure(yield* Effect.exit(within(Effect.die("bug"), () => "late")))).toBe(true)
    })
  )

  it.scoped("cuts each short at its own time, and not before", () =>
    Effect.gen(function* () {
      const { within } = yield* makeTimeLimit("1 second")
      const ended = yield* Ref.make<ReadonlyArray<string>>([])
      const start = (name: string) =>
        within(Effect.never, () => name).pipe(
          Effect.catchAll((late) => Ref.update(ended, (all) => [...all, late])),
          Effect.fork
        )
      yield* start("first")
      yield* TestClock.adjust("400 millis")
      yield* start("second")
      yield* TestClock.adjust("599 millis")
      expect(yield* Ref.get(ended)).toEqual([])
      yield* TestClock.adjust("1 millis")
      expect(yield* Ref.get(ended)).toEqual(["first"])
      yield* TestClock.adjust("399 millis")
      expect(yield* Ref.get(ended)).toEqual(["first"])
      yield* TestClock.adjust("1 millis")
      expect(yield* Ref.get(ended)).toEqual(["first", "second"])
      // Nobody was there for a while: the next one has its whole time all the same.
      yield* TestClock.adjust("10 seconds")
      yield* start("third")
      yield* TestClock.adjust("999 millis")
      expect(yield* Ref.get(ended)).toHaveLength(2)
      yield* TestClock.adjust("1 millis")
      expect(yield* Ref.get(ended)).toEqual(["first", "second", "third"])
    })
  )

  it.scoped("fails only when what it has cut short has ended", () =>
    Effect.gen(function* () {
      const { within } = yield* makeTimeLimit("1 second")
      const tidy = yield* Deferred.make<void>()
      const late = yield* Effect.fork(
        Effect.flip(
          within(
            Effect.onInterrupt(Effect.never, () => Deferred.await(tidy)),
            () => "late"
          )
        )
      )
      yield* TestClock.adjust("5 seconds")
      expect(late.unsafePoll()).toBeNull()
      yield* Deferred.succeed(tidy, undefined)
      expect(yield* Fiber.join(late)).toBe("late")
    })
  )

  it.scoped("interrupts the work with whoever waits for it", () =>
    Effect.gen(function* () {
      const { within } = yield* makeTimeLimit("1 second")
      const begun = yield* Deferred.make<void>()
      const interrupted = yield* Ref.make(false)
      const work = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
      const waiting = yield* Effect.fork(
        within(
          Effect.onInterrupt(work, () => Ref.set(interrupted, true)),
          () => "late"
        )
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(waiting)
      expect(yield* Ref.get(interrupted)).toBe(true)
    })
  )

  it.scoped("cuts short also where the caller may not be interrupted, who waits for that", () =>
    Effect.gen(function* () {
      const { within } = yield* makeTimeLimit("1 second")
      const ended = yield* Ref.make<ReadonlyArray<string>>([])
      const note = (word: string) => Ref.update(ended, (all) => [...all, word])
      const caller = yield* Effect.fork(
        Effect.uninterruptible(
          Effect.catchAll(
            within(Effect.never, () => "late"),
            note
          )
        )
      )
      yield* TestClock.adjust("400 millis")
      yield* Effect.fork(Effect.zipRight(Fiber.interrupt(caller), note("caller gone")))
      yield* TestClock.adjust("599 millis")
      expect(yield* Ref.get(ended)).toEqual([])
      yield* TestClock.adjust("1 millis")
      yield* Fiber.await(caller)
      yield* TestClock.adjust("1 millis")
      expect(yield* Ref.get(ended)).toEqual(["late", "caller gone"])
    })
  )

  it.scopedLive("keeps nothing of what was done under it, however long it sleeps", () =>
    Effect.gen(function* () {
      // As V8 does, now and then, in a process that has compiled the loop anew.
      yield* iteratorsStay
      const { within } = yield* makeTimeLimit("1 minute")
      const collect = garbageCollector()
      // The limit sleeps for the first one while the others come and go.
      yield* Effect.fork(within(Effect.never, () => "late"))
      const answers: Array<WeakRef<object>> = []
      const answer = Effect.delay(
        Effect.sync(() => {
          const made = new Array<number>(1_000).fill(1)
          answers.push(new WeakRef(made))
          return made
        }),
        "1 millis"
      )
      // As void: `Effect.forEach` keeps what each one came to until the last has ended, and is itself kept by whatever frame it goes on in.
      yield* Effect.forEach(Array.from({ length: 400 }), () => Effect.asVoid(within(answer, () => "late")), {
        concurrency: 16,
        discard: true
      })
      // What a WeakRef was made of in this turn of the event loop stays until its end.
      yield* Effect.sleep("1 millis")
      collect()
      expect(answers.filter((one) => one.deref() !== undefined).length).toBeLessThan(40)
    })
  )
})

/** Every iterator of a set stays alive, until the scope closes. */
const iteratorsStay = Effect.acquireRelease(
  Effect.sync(() => {
    const kept: Array<unknown> = []
    const original = Set.prototype[Symbol.iterator]
    Set.prototype[Symbol.iterator] = function () {
      const iterator = original.call(this)
      kept.push(iterator)
      return iterator
    }
    return original
  }),
  (original) =>
    Effect.sync(() => {
      Set.prototype[Symbol.iterator] = original
    })
)

/** Node's own, which is there for who asks for it. */
const garbageCollector = (): (() => void) => {
  setFlagsFromString("--expose-gc")
  const found: unknown = runInNewContext("gc")
  return () => {
    if (typeof found === "function") found()
  }
}
