/** Benchmarks with tiny numbers, to see that they run: what the figures are says nothing here. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import type { Benchmark } from "../../bench/benchmarks/index.js"
import { buildPrograms } from "../../bench/site/build.js"

/** Gives all figures. `agent`: path of its entry point. */
export const tinyRuns = (benchmarks: ReadonlyArray<Benchmark>, agent: string) =>
  Effect.gen(function* () {
    const given = {
      agent,
      ...(yield* buildPrograms),
      tiny: true,
      full: false,
      trace: false,
      tell: () => Effect.void
    }
    // Together, as much of their time is waiting for processes to start.
    const all = yield* Effect.forEach(benchmarks, ({ run }) => Effect.scoped(run(given)), { concurrency: 3 })
    for (const figures of all) expect(figures.length).toBeGreaterThan(0)
    const figures = all.flat()
    for (const { ratio, value, what } of figures) {
      expect(Number.isFinite(value) && value >= 0, what).toBe(true)
      if (ratio !== undefined) expect(Number.isFinite(ratio.value), what).toBe(true)
    }
    expect(new Set(figures.map(({ what }) => what)).size).toBe(figures.length)
    return figures
  })
