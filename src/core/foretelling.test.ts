import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, TestClock } from "effect"
import { Marketplace, type Outcome } from "./backend.js"
import { OrderRefused } from "./errors.js"
import { foretelling } from "./foretelling.js"

const outcome: Outcome = { backendId: "7" }
const deaf = {
  sshKey: () => Effect.succeed(undefined),
  withheld: () => Effect.succeed(undefined),
  projectResources: () => Effect.succeed([])
}
/** A marketplace that takes as long as `telling` for what it hears. */
const hearing = (telling: Effect.Effect<void> = Effect.void) => {
  const heard: Array<Outcome> = []
  const foretell = (said: Outcome) => Effect.zipRight(telling, Effect.sync(() => heard.push(said)).pipe(Effect.asVoid))
  return { heard, marketplace: { ...deaf, foretell } }
}

describe("foretelling", () => {
  it.effect("tells what the wait foretells while it waits, the first alone, and gives what it comes to", () =>
    Effect.gen(function* () {
      const { heard, marketplace } = hearing()
      const arrives = yield* Deferred.make<number>()
      const waiting = yield* foretelling((foretell) => {
        foretell(() => outcome)
        foretell(() => ({ backendId: "8" }))
        return Deferred.await(arrives)
      }).pipe(Effect.provideService(Marketplace, marketplace), Effect.fork)
      yield* Effect.yieldNow()
      yield* Effect.yieldNow()
      expect(heard).toEqual([outcome])
      yield* Deferred.succeed(arrives, 1)
      expect(yield* Fiber.join(waiting)).toBe(1)
      expect(heard).toEqual([outcome])
    })
  )

  it.effect("has nothing told of a wait that foretells nothing", () =>
    Effect.gen(function* () {
      const { heard, marketplace } = hearing()
      const waited = foretelling(() => Effect.succeed(1)).pipe(Effect.provideService(Marketplace, marketplace))
      expect(yield* waited).toBe(1)
      expect(heard).toEqual([])
    })
  )

  it.effect("has what is being told told to its end before it fails", () =>
    Effect.gen(function* () {
      const { heard, marketplace } = hearing(Effect.sleep("1 second"))
      const refused = new OrderRefused({ customerMessage: "It does not boot." })
      const waiting = yield* foretelling((foretell) => {
        foretell(() => outcome)
        return Effect.delay(Effect.fail(refused), "10 millis")
      }).pipe(Effect.provideService(Marketplace, marketplace), Effect.exit, Effect.fork)
      yield* TestClock.adjust("999 millis")
      expect(heard).toEqual([])
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(waiting)).toEqual(Exit.fail(refused))
      expect(heard).toEqual([outcome])
    })
  )

  it.effect("only waits where the marketplace hears of nothing ahead", () =>
    Effect.gen(function* () {
      const waited = foretelling((foretell) => {
        foretell(() => outcome)
        return Effect.succeed(1)
      }).pipe(Effect.provideService(Marketplace, deaf))
      expect(yield* waited).toBe(1)
    })
  )
})
