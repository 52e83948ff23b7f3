import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Ref, Scope } from "effect"
import { stacked } from "./stacked.js"

class Shared extends Context.Tag("test/Shared")<Shared, number>() {}
class Lower extends Context.Tag("test/Lower")<Lower, string>() {}
class Upper extends Context.Tag("test/Upper")<Upper, string>() {}

const told = (log: Ref.Ref<ReadonlyArray<string>>) => {
  const say = (word: string) => Ref.update(log, (all) => [...all, word])
  const living = (name: string) => Effect.acquireRelease(say(`${name} begins`), () => say(`${name} ends`))
  const shared = Layer.scoped(Shared, Effect.as(living("shared"), 1))
  const lower = Layer.scoped(
    Lower,
    Effect.zipRight(
      living("lower"),
      Effect.map(Shared, (n) => `lower ${n}`)
    )
  )
  const upper = Layer.scoped(
    Upper,
    Effect.flatMap(Effect.all([Lower, Shared, Effect.scope]), ([below, , scope]) =>
      Effect.as(
        Effect.zipRight(living("upper"), Scope.addFinalizer(scope, say("upper's own scope ends"))),
        `upper on ${below}`
      )
    )
  )
  return stacked((upon, nothing) =>
    nothing.pipe(upon(Layer.provide(lower, shared)), upon(Layer.provide(upper, shared)))
  )
}

describe("layers one upon the other", () => {
  it.effect("have what is below at hand, share what they are made of, and end from the top", () =>
    Effect.gen(function* () {
      const log = yield* Ref.make<ReadonlyArray<string>>([])
      const built = yield* Effect.all([Lower, Upper]).pipe(Effect.provide(told(log)))
      expect(built).toEqual(["lower 1", "upper on lower 1"])
      expect(yield* Ref.get(log)).toEqual([
        "shared begins",
        "lower begins",
        "upper begins",
        "upper's own scope ends",
        "upper ends",
        "lower ends",
        "shared ends"
      ])
    })
  )

  it.effect("end what was built when one above fails", () =>
    Effect.gen(function* () {
      const log = yield* Ref.make<ReadonlyArray<string>>([])
      const broken = stacked((upon, nothing) =>
        nothing.pipe(upon(told(log)), upon(Layer.effectDiscard(Effect.fail("no" as const))))
      )
      expect(yield* Effect.exit(Effect.provide(Effect.void, broken))).toEqual(Exit.fail("no"))
      expect((yield* Ref.get(log)).at(-1)).toBe("shared ends")
    })
  )
})
