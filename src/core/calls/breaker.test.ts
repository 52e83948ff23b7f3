import { describe, expect, it } from "@effect/vitest"
import { Data, Effect, Fiber, Ref, Schedule, type Scope, TestClock } from "effect"
import { type Breaker, type EndpointEvent, endpointListener, makeBreaker } from "./breaker.js"

class Refused extends Data.TaggedError("Refused")<{ readonly gone: boolean }> {}

/** A server that may be away, and that counts what reaches it. */
const server = Effect.gen(function* () {
  const up = yield* Ref.make(true)
  const calls = yield* Ref.make(0)
  const probes = yield* Ref.make(0)
  const answering = Effect.flatMap(Ref.get(up), (is) => (is ? Effect.succeed("answer") : new Refused({ gone: true })))
  return {
    up,
    calls,
    probes,
    call: Effect.zipRight(
      Ref.update(calls, (count) => count + 1),
      answering
    ),
    probe: Effect.zipRight(
      Ref.update(probes, (count) => count + 1),
      answering
    )
  }
})

const breakerFor = (probe: Effect.Effect<unknown, Refused>): Effect.Effect<Breaker<Refused>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const breaker = yield* makeBreaker<Refused>({
      endpoint: "http://cloud",
      verdict: (error) => (error.gone ? "away" : "answers")
    })
    yield* breaker.join(probe)
    return breaker
  })

describe("a server that is away", () => {
  it.scoped("is asked by one probe at a time, however many callers wait, and all go on at once when it answers", () =>
    Effect.gen(function* () {
      const { up, calls, probes, call, probe } = yield* server
      const breaker = yield* breakerFor(probe)
      const done = yield* Ref.make(0)
      // As orders do it: rest a little after a failure, wait until the endpoint is there, try again.
      const caller: Effect.Effect<void> = breaker.passed.pipe(
        Effect.zipRight(breaker.protect(call)),
        Effect.retry(Schedule.spaced("500 millis")),
        Effect.orDie,
        Effect.zipRight(Ref.update(done, (count) => count + 1))
      )
      yield* Ref.set(up, false)
      const callers = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 1000 }), () => caller, { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("10 minutes")
      expect(yield* Ref.get(calls)).toBe(5)
      // 1 + 2 + 4 + 8 s, then every 15 s, each 80 to 120 percent of that.
      expect(yield* Ref.get(probes)).toBeGreaterThanOrEqual(33)
      expect(yield* Ref.get(probes)).toBeLessThanOrEqual(53)
      expect(yield* Ref.get(done)).toBe(0)
      yield* Ref.set(up, true)
      yield* TestClock.adjust("18 seconds")
      expect(yield* Ref.get(done)).toBe(1000)
      expect(yield* Ref.get(calls)).toBe(1005)
      yield* Fiber.join(callers)
    })
  )

  it.scoped("fails calls at once and unsent, with the failure that showed it", () =>
    Effect.gen(function* () {
      const { up, calls, call, probe } = yield* server
      const breaker = yield* breakerFor(probe)
      yield* Ref.set(up, false)
      for (const _ of Array.from({ length: 8 })) expect((yield* Effect.flip(breaker.protect(call))).gone).toBe(true)
      expect(yield* Ref.get(calls)).toBe(5)
      expect(yield* breaker.away).toBe(true)
    })
  )

  it.scoped("is there again as soon as a call that was under way comes through", () =>
    Effect.gen(function* () {
      const { up, call, probe } = yield* server
      const breaker = yield* breakerFor(probe)
      const slow = yield* Effect.fork(breaker.protect(Effect.as(Effect.sleep("100 millis"), "late answer")))
      yield* Effect.yieldNow()
      yield* Ref.set(up, false)
      yield* Effect.repeatN(Effect.ignore(breaker.protect(call)), 4)
      expect(yield* breaker.away).toBe(true)
      yield* TestClock.adjust("100 millis")
      expect(yield* Fiber.join(slow)).toBe("late answer")
      expect(yield* breaker.away).toBe(false)
    })
  )

  it.scoped("lets a waiting caller be interrupted", () =>
    Effect.gen(function* () {
      const { up, call, probe } = yield* server
      const breaker = yield* breakerFor(probe)
      yield* Ref.set(up, false)
      yield* Effect.repeatN(Effect.ignore(breaker.protect(call)), 4)
      const waiting = yield* Effect.fork(breaker.passed)
      yield* Effect.yieldNow()
      expect((yield* Fiber.interrupt(waiting))._tag).toBe("Failure")
    })
  )

  it.scoped("is told to those who rest on it, also to those who come later", () =>
    Effect.gen(function* () {
      const { up, call, probe } = yield* server
      const breaker = yield* breakerFor(probe)
      const heard = yield* Ref.make<ReadonlyArray<string>>([])
      const listening = (name: string) =>
        Effect.locally(breaker.listen, endpointListener, (event: EndpointEvent) =>
          Ref.update(heard, (all) => [...all, `${name}: ${event.away ? "away" : "back"}`])
        )
      yield* listening("first")
      yield* Ref.set(up, false)
      yield* Effect.repeatN(Effect.ignore(breaker.protect(call)), 4)
      yield* listening("second")
      yield* Ref.set(up, true)
      yield* TestClock.adjust("2 seconds")
      expect(yield* Ref.get(heard)).toEqual(["first: away", "second: away", "first: back", "second: back"])
    })
  )
})

describe("a server that answers", () => {
  it.scoped("is not away for refusals, nor for failures with an answer in between", () =>
    Effect.gen(function* () {
      const { up, call, probe } = yield* server
      const breaker = yield* breakerFor(probe)
      const refused = Effect.fail(new Refused({ gone: false }))
      yield* Effect.repeatN(Effect.ignore(breaker.protect(refused)), 20)
      for (const _ of Array.from({ length: 5 })) {
        yield* Ref.set(up, false)
        yield* Effect.repeatN(Effect.ignore(breaker.protect(call)), 3)
        yield* Ref.set(up, true)
        yield* breaker.protect(call)
      }
      expect(yield* breaker.away).toBe(false)
    })
  )

  it.scoped("has answered a probe also when it refuses it", () =>
    Effect.gen(function* () {
      const { up, call } = yield* server
      const breaker = yield* breakerFor(Effect.fail(new Refused({ gone: false })))
      yield* Ref.set(up, false)
      yield* Effect.repeatN(Effect.ignore(breaker.protect(call)), 4)
      yield* TestClock.adjust("2 seconds")
      expect(yield* breaker.away).toBe(false)
    })
  )
})
