/** The load in short: a hundred orders at once, more faults than `npm run load` has, and everything ended again. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { AgentMain, long, withAgent } from "../crash/harness.js"
import { memoryFaults } from "./report.js"
import { runLoad } from "./run.js"

withAgent("an agent that gets a hundred orders at once, with every twentieth call going wrong", (it) => {
  it.scoped(
    "ends all of them, makes nothing twice, leaves nothing and keeps its memory",
    () =>
      Effect.gen(function* () {
        const main = yield* AgentMain
        const result = yield* runLoad({ main, orders: 100, faults: 0.05, seed: 1, terminate: true })
        expect(result.found).toEqual({ duplicates: [], leftovers: [], wrong: [] })
        expect(memoryFaults(result)).toEqual([])
        expect(result.done + result.erred).toBe(100)
        // Each kind of fault was there, or this proves little.
        expect(result.faults.counts.size).toBe(6)
      }),
    long
  )
})
