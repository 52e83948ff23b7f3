import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, FiberRef, HashMap, Schedule, TestClock } from "effect"
import { makeAlarms } from "./alarms.js"
import { between, during, makeDoor, retried, saying } from "./around.js"

const name = FiberRef.unsafeMake("nobody")
const asBob = during(name, (before) => `${before}, Bob`)

describe("what stands around some work", () => {
  it.effect.each([
    ["is done", Effect.succeed(1), false],
    ["fails", Effect.fail("no"), false],
    ["has a bug", Effect.die("a bug"), false],
    ["is interrupted", Effect.never, true]
  ] as const)("is begun before it and ended once, whether it %s", ([, work, interrupts]) =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const say = (what: string) => Effect.sync(() => void seen.push(what))
      const begin = Effect.as(say("begins"), say("ends"))
      const fiber = yield* Effect.fork(between(begin)(Effect.zipRight(say("works"), work)))
      yield* TestClock.adjust("1 second")
      if (interrupts) yield* Fiber.interrupt(fiber)
      const exit = yield* Fiber.await(fiber)
      expect(Exit.isInterrupted(exit)).toBe(interrupts)
      if (!interrupts) expect(exit).toEqual(yield* Effect.exit(work))
      expect(seen).toEqual(["begins", "works", "ends"])
    })
  )

  it.effect("may be a value of the fiber, which is what it was afterwards", () =>
    Effect.gen(function* () {
      expect(yield* asBob(asBob(FiberRef.get(name)))).toBe("nobody, Bob, Bob")
      yield* Effect.exit(asBob(Effect.fail("no")))
      expect(yield* FiberRef.get(name)).toBe("nobody")
    })
  )

  it.effect("is what it was for what ends the work that is interrupted", () =>
    Effect.gen(function* () {
      let atEnd = ""
      const work = asBob(Effect.never).pipe(
        Effect.onInterrupt(() =>
          Effect.map(FiberRef.get(name), (now) => {
            atEnd = now
          })
        )
      )
      const fiber = yield* Effect.fork(work)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      expect(atEnd).toBe("nobody")
    })
  )

  it.effect("may be what its log lines say, beside what they said before", () =>
    Effect.gen(function* () {
      const said = Effect.map(Effect.logAnnotations, (all) => Object.fromEntries(HashMap.toEntries(all)))
      const both = saying({ order: "1", part: "orders" })(saying({ step: "vm", part: "steps" })(said))
      expect(yield* both).toEqual({ order: "1", step: "vm", part: "steps" })
      expect(yield* said).toEqual({})
    })
  )
})

describe("a door", () => {
  it.effect("is passed while it is open, and waited at while it is closed", () =>
    Effect.gen(function* () {
      const door = makeDoor(false)
      const waiting = yield* Effect.fork(door.passed)
      yield* TestClock.adjust("1 minute")
      expect(waiting.unsafePoll()).toBeNull()
      yield* door.open
      yield* Fiber.join(waiting)
      yield* door.passed
      yield* door.close
      const again = yield* Effect.fork(door.passed)
      yield* TestClock.adjust("1 minute")
      expect(again.unsafePoll()).toBeNull()
      yield* Fiber.interrupt(again)
    })
  )
})

/** When it was tried, in ms, and how it ended: the same by Effect's own. */
const tries = (failing: number, retry: (work: Effect.Effect<string, string>) => Effect.Effect<string, string>) =>
  Effect.gen(function* () {
    const at: Array<number> = []
    const began = yield* Clock.currentTimeMillis
    const work = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      at.push(now - began)
      return at.length > failing ? Effect.succeed("done") : Effect.fail(`try ${at.length}`)
    })
    const fiber = yield* Effect.fork(retry(work))
    yield* TestClock.adjust("1 minute")
    return { at, exit: yield* Fiber.await(fiber) }
  })

const thrice = Schedule.intersect(Schedule.exponential("1 second"), Schedule.recurs(3))

describe("work that is retried", () => {
  it.effect.each([0, 1, 3, 4])("is tried when Effect.retry would, with %d failures", (failing) =>
    Effect.gen(function* () {
      const ours = yield* tries(failing, retried(thrice))
      expect(ours).toEqual(yield* tries(failing, Effect.retry(thrice)))
      expect(ours.at).toEqual([0, 1_000, 3_000, 7_000].slice(0, failing + 1))
      expect(Exit.isSuccess(ours.exit)).toBe(failing < 4)
    })
  )
})

describe("alarms", () => {
  it.scoped("ring at their times, each once, unless they are taken back; in any order, and also after a rest", () =>
    Effect.gen(function* () {
      const alarms = yield* makeAlarms
      const rung: Array<string> = []
      const ring = (name: string) => () => void rung.push(name)
      alarms.after(3_000, ring("third"))
      yield* TestClock.adjust("500 millis")
      alarms.after(500, ring("first"))
      const taken = alarms.after(1_000, ring("taken back"))
      alarms.after(Number.POSITIVE_INFINITY, ring("never"))
      alarms.after(1_500, () => {
        ring("second")()
        taken()
      })
      yield* TestClock.adjust("999 millis")
      taken()
      expect(rung).toEqual(["first"])
      yield* TestClock.adjust("1 hour")
      expect(rung).toEqual(["first", "second", "third"])
      alarms.after(0, ring("at once"))
      yield* TestClock.adjust("1 millis")
      expect(rung).toEqual(["first", "second", "third", "at once"])
    })
  )
})
