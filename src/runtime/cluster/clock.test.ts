import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { database } from "../../../test/support/postgres.js"
import * as Database from "../journal/database.js"
import { commonClock, correction } from "./clock.js"

const seconds = (count: number) => count * 1000

describe("the time of day of several processes", () => {
  // The tests' own clock begins in 1970.
  it.scoped("is the database's, where this machine's is another one", () =>
    Effect.gen(function* () {
      const { place } = yield* database(2)
      const onPostgres = commonClock.pipe(Layer.provideMerge(Database.layer(place)), Layer.provide(NodeContext.layer))
      const before = Date.now()
      const now = yield* Effect.provide(Clock.currentTimeMillis, onPostgres)
      expect(now).toBeGreaterThan(before - seconds(5))
      expect(now).toBeLessThan(Date.now() + seconds(5))
      expect(yield* Clock.currentTimeMillis).toBeLessThan(seconds(60))
    })
  )

  it.each([
    ["stays the machine's own, where both agree", 0, 400, 1, 0],
    ["is corrected where they do not", 0, seconds(420), 1, seconds(420)],
    ["... in both directions", 0, seconds(-480), 1, seconds(-480)],
    ["is not corrected by what a slow database cannot tell", 0, seconds(2), seconds(1.5), 0],
    ["stays as it was for a moment's difference", seconds(420), seconds(419.5), 1, seconds(420)],
    ["follows a clock that drifts", seconds(420), seconds(423), 1, seconds(423)],
    ["is the machine's own again once it was set", seconds(420), 300, 1, 0]
  ])("%s", (_, before, ahead, unsure, expected) => {
    expect(correction(before, { ahead, unsure })).toBe(expected)
  })
})
