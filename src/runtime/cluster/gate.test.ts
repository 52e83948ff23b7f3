import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Ref, TestClock } from "effect"
import { JournalUnavailable, ResourceId, throughGate } from "../../core/index.js"
import type { Lease } from "../journal/lease.js"
import { underLease } from "./gate.js"

type Answer = "held" | "lost" | "away"

/** A lease that was confirmed just now, a database that answers as it is told, and the calls that went out. */
const setting = Effect.gen(function* () {
  const answer = yield* Ref.make<Answer>("held")
  let asked = 0
  const sent: Array<string> = []
  const lease: Lease = { resource: ResourceId.make("0".repeat(32)), epoch: 1, taken: 0, confirmed: { at: 0 } }
  const journal = {
    holds: () =>
      Effect.flatMap(Ref.get(answer), (now) => {
        asked += 1
        if (now === "away") return Effect.fail(new JournalUnavailable({ reason: "no answer" }))
        return now === "lost"
          ? Effect.succeed(false)
          : Effect.map(TestClock.currentTimeMillis, (at) => {
              lease.confirmed.at = at
              return true
            })
      })
  }
  const change = throughGate(true)(Effect.sync(() => sent.push("change")))
  const look = throughGate(false)(Effect.sync(() => sent.push("look")))
  return {
    answer,
    asked: () => asked,
    change,
    lease,
    look,
    sent,
    under: <A>(work: Effect.Effect<A>) => underLease(journal, lease, work)
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
