import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { unlessTold } from "./told.js"

describe("work that somebody else may end", () => {
  const nobody = () => () => undefined

  it.effect("ends as it ends when nobody says anything, and is not listened for any more", () =>
    Effect.gen(function* () {
      let unheard = 0
      const hear = () => () => {
        unheard += 1
      }
      expect(yield* unlessTold(Effect.succeed(1), hear)).toBe(1)
      expect(yield* Effect.flip(unlessTold(Effect.fail("no"), hear))).toBe("no")
      expect(unheard).toBe(2)
    })
  )

  it.effect("is interrupted, and has ended, before what comes in its place", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const begun = yield* Deferred.make<void>()
      let say = (_instead: Effect.Effect<string>): void => undefined
      const work = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never).pipe(
        Effect.onInterrupt(() =>
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => order.push("ended"))
          )
        )
      )
      const running = yield* Effect.fork(
        unlessTold(work, (tell) => {
          say = tell
          return () => undefined
        })
      )
      yield* Deferred.await(begun)
      say(
        Effect.as(
          Effect.sync(() => order.push("instead")),
          "told"
        )
      )
      say(Effect.succeed("too late"))
      expect(yield* Fiber.join(running)).toBe("told")
      expect(order).toEqual(["ended", "instead"])
    })
  )

  it.effect("comes to nothing if the word was given before", () =>
    Effect.gen(function* () {
      const ended = yield* unlessTold(Effect.never, (tell: (instead: Effect.Effect<string>) => void) => {
        tell(Effect.succeed("told"))
        return () => undefined
      })
      expect(ended).toBe("told")
    })
  )

  it.effect("is interrupted with whoever asked for it, who waits for its end", () =>
    Effect.gen(function* () {
      let ended = false
      const begun = yield* Deferred.make<void>()
      const work = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never).pipe(
        Effect.onInterrupt(() =>
          Effect.zipRight(
            Effect.yieldNow(),
            Effect.sync(() => {
              ended = true
            })
          )
        )
      )
      const running = yield* Effect.fork(unlessTold(work, nobody))
      yield* Deferred.await(begun)
      expect(Exit.isInterrupted(yield* Fiber.interrupt(running))).toBe(true)
      expect(ended).toBe(true)
    })
  )
})
