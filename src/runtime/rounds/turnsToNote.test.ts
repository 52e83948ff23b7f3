import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { ResourceId } from "../../core/index.js"
import { makeTurnsToNote, notedAtOnce } from "./turnsToNote.js"

const resources = Array.from({ length: notedAtOnce * 2 + 7 }, (_, index) =>
  ResourceId.make(index.toString(16).padStart(32, "0"))
)

describe("What is to be noted in Waldur of very many resources", () => {
  it.effect("is noted of a few after each look, of each once a day at most", () =>
    Effect.gen(function* () {
      const due = makeTurnsToNote()
      const looks = [yield* due(resources), yield* due(resources), yield* due(resources)]
      expect(looks.map(({ length }) => length)).toEqual([notedAtOnce, notedAtOnce, 7])
      expect(looks.flat()).toEqual(resources)
      expect(yield* due(resources)).toEqual([])
      yield* TestClock.adjust("23 hours")
      expect(yield* due(resources)).toEqual([])
      yield* TestClock.adjust("1 hour")
      expect(yield* due(resources.slice(0, 3))).toEqual(resources.slice(0, 3))
    })
  )
})
