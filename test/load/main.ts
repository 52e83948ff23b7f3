/** `npm run load`: thousands of orders at once, with faults. `--orders 100` is a short one. */
import { Command, Options } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Data, Effect, Layer } from "effect"
import { buildAgent } from "../crash/build.js"
import { isGood, report } from "./report.js"
import { runLoad } from "./run.js"

class LoadFailed extends Data.TaggedError("LoadFailed")<{ readonly message: string }> {}

const load = Command.make(
  "load",
  {
    orders: Options.integer("orders").pipe(Options.withDescription("How many at once."), Options.withDefault(2000)),
    faults: Options.float("faults").pipe(
      Options.withDescription("The share of calls that go wrong, in percent."),
      Options.withDefault(2)
    ),
    seed: Options.integer("seed").pipe(Options.withDescription("Decides what goes wrong."), Options.withDefault(1)),
    terminate: Options.boolean("terminate").pipe(
      Options.withDescription("Ends everything again, under the same faults.")
    )
  },
  (options) =>
    Effect.gen(function* () {
      const given = { ...options, faults: options.faults / 100, main: yield* buildAgent, tell: Console.error }
      const result = yield* runLoad(given)
      yield* Console.log(report(given, result))
      if (!isGood(result)) return yield* new LoadFailed({ message: "Not everything is as it should be." })
    }).pipe(Effect.scoped)
)

Command.run(load, { name: "Load", version: "1" })(process.argv).pipe(
  Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)),
  NodeRuntime.runMain()
)
