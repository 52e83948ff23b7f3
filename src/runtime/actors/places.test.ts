import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, TestClock } from "effect"
import { aside, orderPlace } from "../../core/index.js"
import { lentFor, makePlaces } from "./places.js"

/** Places for two, and what was begun in them. */
const setting = () => {
  const places = makePlaces<string>(2)
  const begun: Array<string> = []
  return {
    places,
    begun,
    queue: (key: string, turn = "project", wasBegun = false) =>
      places.queue(key, { turn, begun: wasBegun, start: () => begun.push(key) })
  }
}

describe("places in work", () => {
  it.effect("are given at once while there are any, and then in the order of asking as others end", () =>
    Effect.gen(function* () {
      const { begun, places, queue } = setting()
      for (const key of ["1", "2", "3", "4"]) yield* queue(key)
      expect(begun).toEqual(["1", "2"])
      yield* places.free("2")
      expect(begun).toEqual(["1", "2", "3"])
      yield* places.free("1")
      yield* places.free("3")
      expect(begun).toEqual(["1", "2", "3", "4"])
      yield* places.free("4")
      expect(yield* places.state).toEqual({ taken: 0, waiting: 0 })
    })
  )

  it.effect("go round by project, so that one with a thousand orders keeps no other waiting", () =>
    Effect.gen(function* () {
      const { begun, places, queue } = setting()
      for (const key of ["a1", "a2", "a3", "a4", "a5"]) yield* queue(key, "a")
      yield* queue("b1", "b")
      for (const key of ["a1", "a2", "a3"]) yield* places.free(key)
      expect(begun).toEqual(["a1", "a2", "a3", "b1", "a4"])
    })
  )

  it.effect("go first to what was begun before", () =>
    Effect.gen(function* () {
      const { begun, places, queue } = setting()
      for (const key of ["1", "2", "3"]) yield* queue(key)
      yield* queue("begun before", "project", true)
      yield* places.free("1")
      expect(begun).toEqual(["1", "2", "begun before"])
    })
  )

  it.effect("are left by who waits for something, who comes back before any new one begins", () =>
    Effect.gen(function* () {
      const { begun, places, queue } = setting()
      for (const key of ["1", "2", "3", "4"]) yield* queue(key)
      const booted = yield* Deferred.make<void>()
      const waiting = yield* aside(Deferred.await(booted)).pipe(
        Effect.locally(orderPlace, places.placeOf("1")),
        Effect.fork
      )
      yield* Effect.yieldNow()
      expect(begun).toEqual(["1", "2", "3"])

      yield* Deferred.succeed(booted, undefined)
      yield* Effect.yieldNow()
      // Both places are taken: it has to wait for one.
      expect(yield* places.state).toEqual({ taken: 2, waiting: 2 })
      yield* places.free("2")
      yield* Fiber.join(waiting)
      expect(begun).toEqual(["1", "2", "3"])
      yield* places.free("1")
      expect(begun).toEqual(["1", "2", "3", "4"])
    })
  )

  it.effect("lose nothing when who waits for one is interrupted", () =>
    Effect.gen(function* () {
      const { begun, places, queue } = setting()
      for (const key of ["1", "2", "3", "4"]) yield* queue(key)
      const back = yield* aside(Effect.void).pipe(Effect.locally(orderPlace, places.placeOf("1")), Effect.fork)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(back)
      yield* places.free("1")
      yield* places.free("2")
      expect(begun).toEqual(["1", "2", "3", "4"])
      expect(yield* places.state).toEqual({ taken: 2, waiting: 0 })
    })
  )

  it.effect("are not held for ever by what hangs", () =>
    Effect.gen(function* () {
      const { begun, places, queue } = setting()
      for (const key of ["1", "2", "3"]) yield* queue(key)
      yield* TestClock.adjust(lentFor - 1)
      yield* places.look
      expect(begun).toEqual(["1", "2"])
      yield* TestClock.adjust(1_000)
      yield* places.look
      expect(begun).toEqual(["1", "2", "3"])
      // Those that took so long give nothing back that is not theirs any more.
      yield* places.free("1")
      yield* places.free("2")
      yield* places.free("3")
      expect(yield* places.state).toEqual({ taken: 0, waiting: 0 })
    })
  )
})
