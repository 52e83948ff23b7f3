/** Each benchmark, with tiny numbers, and the pictures. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { benchmarks } from "../../bench/benchmarks/index.js"
import { pictures } from "../../bench/pictures/index.js"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { tinyRuns } from "./tiny.js"

withAgent("all benchmarks", (it) => {
  it.scoped(
    "give figures that are numbers, and pictures can be drawn of them",
    () =>
      Effect.gen(function* () {
        const figures = yield* tinyRuns(benchmarks, yield* AgentMain)
        expect(pictures(figures).map(({ file }) => file)).toEqual(["docs/img/latency.svg", "docs/img/growth.svg"])
      }),
    long
  )
})
