/** The bench in short: with tiny numbers it gives figures; what is slower than it was is found. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { benchmarks } from "../../bench/benchmarks/index.js"
import { against, covered, type Figure, isReached, median } from "../../bench/figures.js"
import { better, keptRatios, regressions, report } from "../../bench/report.js"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { tinyRuns } from "./tiny.js"

/** What is run here, with an agent and simulators of its own; `bench.long.ts` runs them all. */
const quick = benchmarks.filter(({ name }) => name === "decode")

withAgent("a benchmark", (it) => {
  it.scoped(
    "gives figures that are numbers, each under a name of its own",
    () => Effect.flatMap(AgentMain, (agent) => tinyRuns(quick, agent)),
    long
  )
})

const slow: Figure = { what: "A", value: 20, unit: "ms", reach: { atMost: 15 }, ratio: { value: 2, of: "the limit" } }

describe("figures", () => {
  it("say whether what was to be reached is reached, and plainly if not", () => {
    expect(isReached(slow)).toBe(false)
    expect(isReached({ ...slow, reach: { atLeast: 20 } })).toBe(true)
    expect(report("some", [slow])).toContain("NOT reached")
  })

  it("that are more than a quarter worse than what was kept are found", () => {
    const before = keptRatios("{}", [slow])
    const now = (value: number) => regressions(before, [{ ...slow, ratio: { value, of: "the limit" } }])
    expect(now(2.49)).toEqual([])
    expect(now(2.51)).toEqual(["A: the ratio is 2.51, kept is 2, more than 25 % worse."])
    expect(keptRatios(before, [])).toBe(before)
  })

  it("of the processor's work are compared with what this machine takes for a unit of it", () => {
    const plain: Figure = { what: "B", value: 20, unit: "s" }
    expect([{ ...plain, work: 90 }, plain].map(against(45)).map(({ ratio }) => ratio?.value)).toEqual([2, undefined])
  })

  it("that were taken twice count as they were where their ratio is better", () => {
    const other: Figure = { what: "B", value: 1, unit: "calls" }
    const again = { ...slow, value: 18, ratio: { value: 1.5, of: "the limit" } }
    expect(better([slow, other], [again, { ...other, value: 2 }])).toEqual([again, other])
    expect(better([again], [slow])).toEqual([again])
  })

  it("of time that calls were at work count what overlaps once, and nothing outside", () => {
    const spans = [
      { from: -5, to: 2 },
      { from: 1, to: 4 },
      { from: 6, to: 8 },
      { from: 7, to: 20 }
    ]
    expect(covered(spans, { from: 0, to: 10 })).toBe(8)
    expect(covered([], { from: 0, to: 10 })).toBe(0)
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
  })
})
