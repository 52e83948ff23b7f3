/** What the tests of this room share: one build of the agent for a file's tests, in real time, with real processes. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { beforeAll, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, type Scope } from "effect"
import { buildAgent } from "./build.js"
import { makeSite, type SiteOptions } from "./site.js"

/** The path of the agent's entry point. */
export class AgentMain extends Context.Tag("site-actors/test/crash/AgentMain")<AgentMain, string>() {}

const platform = Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)
type Given = AgentMain | Layer.Layer.Success<typeof platform> | Scope.Scope

interface AgentTests {
  readonly scoped: (name: string, test: () => Effect.Effect<void, unknown, Given>, timeoutMillis: number) => void
}

/**
 * A group of tests with one build of the agent. Not `layer` of @effect/vitest: that changes the runner's own `it` for all files that
 * come after it in the same worker.
 */
export const withAgent = (name: string, tests: (it: AgentTests) => void): void => {
  describe(name, () => {
    let main = ""
    beforeAll(async () => {
      main = await Effect.runPromise(buildAgent)
    }, long)
    tests({
      scoped: (title, test, timeoutMillis) => {
        it.scopedLive(
          title,
          () => test().pipe(Effect.provide(platform), (given) => Effect.provideService(given, AgentMain, main)),
          timeoutMillis
        )
      }
    })
  })
}

/** For tests that start processes on a machine that may have other things to do, in ms. */
export const long = 480_000

export const newSite = (options: Omit<SiteOptions, "main"> = {}) =>
  Effect.flatMap(AgentMain, (main) => makeSite({ main, ...options }))
