/** `npm run bench`: how fast the agent is. `--only latency` runs one of the benchmarks, `--check` compares with what was kept. */
import { readFileSync, writeFileSync } from "node:fs"
import { Command, Options } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Data, Effect, Layer, Option } from "effect"
import { buildAgent } from "../test/crash/build.js"
import { machine } from "../test/load/report.js"
import { type Benchmark, benchmarks } from "./benchmarks/index.js"
import { against } from "./figures.js"
import { pictures } from "./pictures/index.js"
import { better, kept, keptRatios, regressions, report } from "./report.js"
import { buildPrograms } from "./site/build.js"
import { machineUnit } from "./unit.js"

class Slower extends Data.TaggedError("Slower")<{ readonly message: string }> {}

const names = benchmarks.map(({ name }) => name)

const bench = Command.make(
  "bench",
  {
    only: Options.choice("only", names).pipe(Options.withDescription("Only this benchmark."), Options.optional),
    check: Options.boolean("check").pipe(
      Options.withDescription("Fails if a ratio is more than 25 % worse than in bench/ratios.json, twice in a row.")
    ),
    keep: Options.boolean("keep").pipe(Options.withDescription("Writes the ratios into bench/ratios.json.")),
    draw: Options.boolean("draw").pipe(Options.withDescription("Draws the pictures in docs/img.")),
    tiny: Options.boolean("tiny").pipe(Options.withDescription("Tiny numbers: only to see that it runs.")),
    trace: Options.boolean("trace").pipe(
      Options.withDescription("With latency: one order of each kind, call by call.")
    ),
    full: Options.boolean("full").pipe(Options.withDescription("Also what takes many minutes: 10,000 orders at once."))
  },
  ({ check, draw, full, keep, only, tiny, trace }) =>
    Effect.gen(function* () {
      const tell = Console.error
      const given = { agent: yield* buildAgent, ...(yield* buildPrograms), tiny, full, trace, tell }
      yield* Console.log(machine())
      const chosen = benchmarks.filter(({ name }) => Option.getOrElse(only, () => name) === name)
      const allowed = readFileSync(kept, "utf8")
      const measured = ({ name, run }: Benchmark) =>
        Effect.gen(function* () {
          // Before and after: a machine of which others have a part changes from minute to minute.
          const before = machineUnit()
          yield* tell(`${name} (unit of work ${before.toFixed(1)} ms) ...`)
          const figures = yield* run(given).pipe(Effect.scoped)
          const after = machineUnit()
          yield* tell(`${name}: unit of work ${after.toFixed(1)} ms now`)
          const compared = figures.map(against((before + after) / 2))
          yield* Console.log(report(name, compared))
          return compared
        })
      const results = yield* Effect.forEach(chosen, (benchmark) =>
        Effect.gen(function* () {
          const first = yield* measured(benchmark)
          const worse = check ? regressions(allowed, first) : []
          if (worse.length === 0) return first
          // What others do on the machine makes a run worse now and then, what has become slower makes each run worse.
          yield* tell(`${worse.join("\n")}\n${benchmark.name}: once more`)
          return better(first, yield* measured(benchmark))
        })
      )
      const figures = results.flat()
      if (draw) for (const { file, text } of pictures(figures)) writeFileSync(file, text)
      if (keep) writeFileSync(kept, keptRatios(allowed, figures))
      const worse = check ? regressions(allowed, figures) : []
      if (worse.length > 0) return yield* new Slower({ message: worse.join("\n") })
    }).pipe(Effect.scoped)
)

Command.run(bench, { name: "Bench", version: "1" })(process.argv).pipe(
  Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)),
  NodeRuntime.runMain()
)
