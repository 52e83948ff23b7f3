/** What the tests of this room share: one build of the agent for a file's tests, in real time, with real processes. */
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { buildAgent } from "./build.js"
import { makeSite, type SiteOptions } from "./site.js"

/** The path of the agent's entry point. */
export class AgentMain extends Context.Tag("site-actors/test/crash/AgentMain")<AgentMain, string>() {
  static readonly layer = Layer.scoped(AgentMain, buildAgent)
}

export const withAgent = layer(Layer.mergeAll(AgentMain.layer, NodeContext.layer, NodeHttpClient.layerUndici), {
  excludeTestServices: true,
  timeout: "60 seconds"
})

/** For tests that start processes on a machine that may have other things to do, in ms. */
export const long = 180_000

export const newSite = (options: Omit<SiteOptions, "main"> = {}) =>
  Effect.flatMap(AgentMain, (main) => makeSite({ main, ...options }))
