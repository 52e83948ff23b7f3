/** What every benchmark starts from: simulators and an agent, each a process of its own. */
import { Effect } from "effect"
import type { Open } from "../simulators/protocol.js"
import { commands } from "../simulators/protocol.js"
import { type AgentOptions, prepareAgent } from "./agent.js"
import type { Programs } from "./build.js"
import { startSimulators } from "./simulators.js"

export interface Given extends Programs {
  /** Path of the agent's entry point. */
  readonly agent: string
  /** Tiny numbers: to see that it runs. */
  readonly tiny: boolean
  /** Also what takes many minutes. */
  readonly full: boolean
  /** Tells the last order of each kind call by call. */
  readonly trace: boolean
  readonly tell: (progress: string) => Effect.Effect<void>
}

export const openSite = (given: Given, open: Open, options: Partial<AgentOptions> = {}) =>
  Effect.gen(function* () {
    const simulators = yield* startSimulators(given.simulators, open)
    const agent = yield* prepareAgent(simulators, {
      main: given.agent,
      preload: given.preload,
      events: false,
      pollInterval: 1,
      ...options
    })
    const count = (name: string) => Effect.map(simulators.ask(commands.callCounts, null), (counts) => counts[name] ?? 0)
    return {
      simulators,
      agent,
      /** Completes when the call has been answered so often since the calls were last forgotten. */
      untilCalled: (name: string, times: number) =>
        Effect.repeat(Effect.delay(count(name), "5 millis"), { until: (so) => so >= times })
    }
  })
export type BenchSite = Effect.Effect.Success<ReturnType<typeof openSite>>

export const frontEnd: Open = { frontEndTimes: true, marketplaceMillis: 5 }
export const instant: Open = { frontEndTimes: false, marketplaceMillis: 0 }
