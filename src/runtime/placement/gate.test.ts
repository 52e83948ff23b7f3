import { describe, expect, it } from "@effect/vitest"
import { type Clock, Duration, Effect, Exit, Fiber, FiberRef, Ref, TestClock } from "effect"
import { JournalUnavailable, momentBy, ResourceId, sendingGate, throughGate } from "../../core/index.js"
import type { Lease } from "../journal/lease.js"
import { underLease } from "./gate.js"

type Answer = "held" | "lost" | "away"

/** A lease that was confirmed just now, a database that answers as it is told, and the calls that went out. */
const setting = Effect.gen(function* () {
  const answer = yield* Ref.make<Answer>("held")
  let asked = 0
  const sent: Array<string> = []
  const takes = yield* Ref.make(Duration.zero)
  // A process that is stopped runs nothing: when it goes on, its clock is ahead by all of it at once.
  let ahead = 0
  let pause = 0
  let suspension = 0
  const own = yield* Effect.clock
  // While its machine is suspended that clock stands still, and the time of day goes on.
  let suspended = 0
  const clock: Clock.Clock = {
    ...own,
    sleep: (duration) => own.sleep(duration),
    unsafeCurrentTimeMillis: () => own.unsafeCurrentTimeMillis() + suspended,
    unsafeCurrentTimeNanos: () => own.unsafeCurrentTimeNanos() + BigInt(ahead) * 1_000_000n
  }
  const lease: Lease = { resource: ResourceId.make("0".repeat(32)), epoch: 1, confirmed: { at: momentBy(clock) } }
  const journal = {
    holds: () =>
      Effect.gen(function* () {
        asked += 1
        const at = momentBy(clock)
        yield* Effect.sleep(yield* Ref.get(takes))
        ahead += pause
        suspended += suspension
        pause = suspension = 0
        const now = yield* Ref.get(answer)
        if (now === "away") return yield* new JournalUnavailable({ reason: "no answer" })
        // As old as the question: the answer may have been on its way for as long.
        if (now === "held") lease.confirmed.at = at
        return now === "held"
      })
  }
  const change = throughGate(true)(Effect.sync(() => sent.push("change")))
  const look = throughGate(false)(Effect.sync(() => sent.push("look")))
  return {
    answer,
    asked: () => asked,
    change,
    clock,
    lease,
    look,
    sent,
    takes,
    /** The next time that it asks, for so many ms. */
    pauseOnce: (millis: number) => {
      pause = millis
    },
    suspend: (millis: number) => {
      suspended += millis
    },
    suspendOnce: (millis: number) => {
      suspension = millis
    },
    under: <A>(work: Effect.Effect<A>, several = false) => underLease(journal, lease, work, undefined, several)
  }
})

describe("a call under a lease", () => {
  it.effect("goes out at once while the lease was confirmed a moment ago", () =>
    Effect.gen(function* () {
      const { asked, change, sent, under } = yield* setting
      yield* under(Effect.zipRight(TestClock.adjust("400 millis"), change))
      expect({ sent, asked: asked() }).toEqual({ sent: ["change"], asked: 0 })
    })
  )

  it.effect("has it looked at once more before it is written, where other processes may take the resource over", () =>
    Effect.gen(function* () {
      const { answer, asked, sent, under } = yield* setting
      // Stopped while it connected.
      const stopped = (meanwhile: Answer) =>
        throughGate(true)(
          TestClock.adjust("9 seconds").pipe(
            Effect.zipRight(Ref.set(answer, meanwhile)),
            Effect.zipRight(Effect.flatten(FiberRef.get(sendingGate))),
            Effect.zipRight(Effect.sync(() => sent.push(meanwhile)))
          )
        )
      yield* under(stopped("held"))
      expect({ sent, asked: asked() }).toEqual({ sent: ["held"], asked: 0 })
      yield* under(stopped("held"), true)
      expect({ sent, asked: asked() }).toEqual({ sent: ["held", "held"], asked: 2 })
      expect(yield* Effect.flip(under(stopped("lost"), true))).toMatchObject({ _tag: "LeaseLost" })
      expect(sent).toEqual(["held", "held"])
    })
  )

  it.effect("looks at the lease again after a pause, and goes out if it still holds", () =>
    Effect.gen(function* () {
      const { asked, change, sent, under } = yield* setting
      yield* under(Effect.all([TestClock.adjust("2 seconds"), change, change]))
      expect({ sent, asked: asked() }).toEqual({ sent: ["change", "change"], asked: 1 })
    })
  )

  it.effect("never goes out once another process has the resource, and what it was part of ends", () =>
    Effect.gen(function* () {
      const { answer, change, look, sent, under } = yield* setting
      yield* Ref.set(answer, "lost")
      const exit = yield* Effect.exit(under(Effect.all([TestClock.adjust("2 seconds"), look, change, change])))
      expect(Exit.isFailure(exit) && exit.cause).toMatchObject({ error: { _tag: "LeaseLost" } })
      expect(sent).toEqual(["look"])
    })
  )

  it.effect("ends what is not to be interrupted, too", () =>
    Effect.gen(function* () {
      const { answer, change, sent, under } = yield* setting
      yield* Ref.set(answer, "lost")
      yield* TestClock.adjust("2 seconds")
      yield* Effect.exit(under(Effect.uninterruptible(change)))
      expect(sent).toEqual([])
    })
  )

  it.effect("goes out after an answer of a database that is slow", () =>
    Effect.gen(function* () {
      const { asked, change, sent, takes, under } = yield* setting
      yield* Ref.set(takes, Duration.seconds(1.5))
      yield* TestClock.adjust("2 seconds")
      const fiber = yield* Effect.fork(under(change))
      // Moment by moment: it is awake.
      for (let at = 0; at < 30; at++) yield* TestClock.adjust("100 millis")
      expect({ sent, asked: asked() }).toEqual({ sent: ["change"], asked: 1 })
      yield* Fiber.join(fiber)
    })
  )

  it.effect("looks once more if the answer took too long", () =>
    Effect.gen(function* () {
      const { asked, change, sent, takes, under } = yield* setting
      yield* Ref.set(takes, Duration.seconds(2.5))
      yield* TestClock.adjust("2 seconds")
      const fiber = yield* Effect.fork(under(change))
      yield* TestClock.adjust("3 seconds")
      expect({ sent, asked: asked() }).toEqual({ sent: [], asked: 2 })
      yield* Ref.set(takes, Duration.zero)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(fiber)
      expect({ sent, asked: asked() }).toEqual({ sent: ["change"], asked: 3 })
    })
  )

  it.effect("looks once more if it was paused before it heard the answer", () =>
    Effect.gen(function* () {
      const { asked, change, clock, pauseOnce, sent, under } = yield* setting
      yield* TestClock.adjust("2 seconds")
      pauseOnce(1_000)
      yield* Effect.withClock(under(change), clock)
      expect({ sent, asked: asked() }).toEqual({ sent: ["change"], asked: 2 })
    })
  )

  it.effect("looks again when its machine was suspended, of which the clock that nobody sets knows nothing", () =>
    Effect.gen(function* () {
      const { asked, change, clock, sent, suspend, suspendOnce, under } = yield* setting
      suspend(60_000)
      // Once more before it hears the answer.
      suspendOnce(60_000)
      yield* Effect.withClock(under(change), clock)
      expect({ sent, asked: asked() }).toEqual({ sent: ["change"], asked: 2 })
      suspend(-60_000)
      yield* Effect.withClock(under(change), clock)
      expect(asked()).toBe(3)
    })
  )

  it.effect("waits while the database is away", () =>
    Effect.gen(function* () {
      const { answer, change, sent, under } = yield* setting
      yield* Ref.set(answer, "away")
      yield* TestClock.adjust("2 seconds")
      const fiber = yield* Effect.fork(under(change))
      yield* TestClock.adjust("1 minute")
      expect(sent).toEqual([])
      yield* Ref.set(answer, "held")
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(fiber)
      expect(sent).toEqual(["change"])
    })
  )
})
