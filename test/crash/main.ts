/** `npm run crash`: the crash matrix. `--operation vm-create` takes one operation, `--cell 7:a` one of its cells. */
import { Command, Options } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Clock, Console, Data, Effect, Layer, Option, Schema } from "effect"
import { buildAgent } from "./build.js"
import { runMatrix } from "./matrix.js"
import { operationNames } from "./operations.js"
import { moments } from "./strike.js"

class CrashFailed extends Data.TaggedError("CrashFailed")<{ readonly message: string }> {}

const Cell = Schema.TemplateLiteralParser(Schema.NumberFromString, ":", Schema.Literal(...moments))

const crash = Command.make(
  "crash",
  {
    operation: Options.choice("operation", operationNames).pipe(
      Options.withDescription("Only this operation; may be repeated."),
      Options.repeated
    ),
    cell: Options.text("cell").pipe(
      Options.withSchema(Cell),
      Options.withDescription("Only this cell, as call:moment, for example 7:a."),
      Options.optional
    ),
    twice: Options.boolean("twice").pipe(
      Options.withDescription("Kills the agent that was started again once more, at its next call.")
    ),
    generation: Options.choice("generation", ["current", "2024"]).pipe(
      Options.withDescription("Which generation of Waldur's API the simulated marketplace speaks."),
      Options.withDefault("current" as const)
    ),
    concurrency: Options.integer("concurrency").pipe(
      Options.withDescription("Cells at a time."),
      Options.withDefault(4)
    )
  },
  ({ cell, concurrency, generation, operation, twice }) =>
    Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const main = yield* buildAgent
      const passed = yield* runMatrix({
        main,
        generation,
        concurrency,
        twice,
        operations: operation.length === 0 ? operationNames : operation,
        cell: Option.getOrUndefined(Option.map(cell, ([call, , moment]) => ({ call, moment })))
      })
      yield* Console.log(`${(((yield* Clock.currentTimeMillis) - began) / 60_000).toFixed(1)} min`)
      if (!passed) return yield* new CrashFailed({ message: "Not all cells are as they should be." })
    }).pipe(Effect.scoped)
)

Command.run(crash, { name: "Crash matrix", version: "1" })(process.argv).pipe(
  Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)),
  NodeRuntime.runMain()
)
