import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { OfferingId } from "../../core/index.js"
import { Metrics } from "../metrics/index.js"
import { Standings } from "./standing.js"

const offering = OfferingId.make("0".repeat(32))

it.effect("of an offering whose rounds are another process's now it is not told when they last went well here", () =>
  Effect.gen(function* () {
    const metrics = yield* Metrics
    const standings = yield* Standings
    const told = Effect.map(
      Effect.promise(() => metrics.text({ offerings: [], leftovers: 0, quarantined: 0, version: "" })),
      (text) => text.split("\n").filter((line) => line.startsWith("site_actors_last_success_timestamp_seconds{"))
    )
    metrics.named([{ id: offering, name: "VDC" }])
    yield* Effect.gen(function* () {
      yield* standings.attended(offering)
      for (const work of ["orders", "usage"] as const) metrics.round(offering, work, true, 1_000)
      expect(yield* told).toHaveLength(2)
    }).pipe(Effect.scoped)
    expect(yield* told).toEqual([])
    expect((yield* standings.of(offering)).elsewhere).toBe(true)
  }).pipe(Effect.provide(Layer.provideMerge(Standings.layer, Metrics.layer)))
)
