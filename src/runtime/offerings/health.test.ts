import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Ref, SubscriptionRef, TestClock } from "effect"
import { NotYet, OfferingFault } from "../../core/index.js"
import { make } from "./health.js"

const away = (endpoint: string) => ({ endpoint, away: true, reason: `${endpoint} refuses connections` })
const back = (endpoint: string) => ({ endpoint, away: false, reason: "" })

/** An offering whose probe fails while `broken`, and what was recorded of its pauses. */
const setting = Effect.gen(function* () {
  const broken = yield* Ref.make(false)
  const pauses = yield* Ref.make<ReadonlyArray<string>>([])
  const fault = new OfferingFault({ reason: "Wrong password.", hint: "Change it." })
  const health = yield* make(
    Effect.flatMap(Ref.get(broken), (is) => (is ? fault : Effect.void)),
    {
      began: (reason) => Ref.update(pauses, (all) => [...all, reason]),
      ended: Ref.update(pauses, (all) => [...all, "ended"])
    }
  )
  return { health, broken, pauses, fault }
})

const passes = (gate: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const waiting = yield* Effect.fork(gate)
    yield* TestClock.adjust("1 millis")
    const polled = yield* Fiber.poll(waiting)
    yield* Fiber.interrupt(waiting)
    return polled._tag === "Some"
  })

describe("an offering's orders", () => {
  it.scoped("wait while one of its servers is away, and go on when the last is back", () =>
    Effect.gen(function* () {
      const { health, pauses } = yield* setting
      yield* health.endpoint(away("cloud"))
      yield* health.endpoint(away("waldur"))
      expect(yield* passes(health.passed)).toBe(false)
      expect(yield* SubscriptionRef.get(health.status)).toMatchObject({
        _tag: "Degraded",
        reason: "cloud refuses connections waldur refuses connections"
      })
      yield* health.endpoint(back("cloud"))
      expect(yield* passes(health.passed)).toBe(false)
      yield* health.endpoint(back("waldur"))
      expect(yield* passes(health.passed)).toBe(true)
      expect((yield* SubscriptionRef.get(health.status))._tag).toBe("Ok")
      expect((yield* Ref.get(pauses)).at(-1)).toBe("ended")
    })
  )

  it.scoped("wait for both, a fault of the configuration and a server that is away", () =>
    Effect.gen(function* () {
      const { health, broken, fault } = yield* setting
      yield* Ref.set(broken, true)
      yield* health.report(fault)
      yield* health.endpoint(away("cloud"))
      yield* Ref.set(broken, false)
      yield* TestClock.adjust("2 minutes")
      expect(yield* passes(health.passed)).toBe(false)
      yield* health.endpoint(back("cloud"))
      expect(yield* passes(health.passed)).toBe(true)
    })
  )

  it.scoped("do not wait for one failure that may pass", () =>
    Effect.gen(function* () {
      const { health, pauses } = yield* setting
      yield* health.report(new NotYet({ reason: "busy" }))
      expect(yield* passes(health.passed)).toBe(true)
      expect(yield* Ref.get(pauses)).toEqual([])
      yield* health.recovered
      expect((yield* SubscriptionRef.get(health.status))._tag).toBe("Ok")
    })
  )
})

describe("a stopped offering", () => {
  it.scoped("is mended although the answer to its first probe is lost and only a time-out ends it", () =>
    Effect.gen(function* () {
      const tries = yield* Ref.make(0)
      const health = yield* make(
        Effect.gen(function* () {
          const first = (yield* Ref.getAndUpdate(tries, (count) => count + 1)) === 0
          yield* (first ? Effect.never : Effect.void).pipe(
            Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => new NotYet({ reason: "no answer" }) })
          )
        })
      )
      yield* health.report(new OfferingFault({ reason: "Wrong password.", hint: "Change it." }))
      expect(yield* passes(health.passed)).toBe(false)
      yield* TestClock.adjust("2 minutes")
      expect(yield* passes(health.passed)).toBe(true)
      expect((yield* SubscriptionRef.get(health.status))._tag).toBe("Ok")
    })
  )
})
