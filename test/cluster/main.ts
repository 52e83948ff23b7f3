/** `npm run cluster`: several processes over a real PostgreSQL, 500 orders, and something befalling one of them every few seconds. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Command, Options } from "@effect/cli"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Data, Effect, Layer, Option, Random } from "effect"
import { buildAgent } from "../crash/build.js"
import type { ClusterSite } from "./site.js"
import { storm } from "./storm.js"
import { strikeKinds, strikesByChance } from "./strikes.js"

class ClusterFailed extends Data.TaggedError("ClusterFailed")<{ readonly message: string }> {}

/** One of each data centre: made, and ended; one of each of its machines; and one machine of each is resized. */
const ordersOf = (vdcs: number, vmsOfEach: number) => 2 * vdcs + 2 * vdcs * vmsOfEach + vdcs

const writeOutputs = ({ nodes }: Pick<ClusterSite, "nodes">, directory: Option.Option<string>) =>
  Effect.sync(() => {
    if (Option.isNone(directory)) return
    mkdirSync(directory.value, { recursive: true })
    for (const { name, outputs } of nodes) {
      writeFileSync(join(directory.value, `process-${name}.log`), outputs().join("--- started again\n"))
    }
  })

const cluster = Command.make(
  "cluster",
  {
    processes: Options.integer("processes").pipe(Options.withDefault(3)),
    orders: Options.integer("orders").pipe(Options.withDescription("About so many."), Options.withDefault(500)),
    every: Options.float("every").pipe(Options.withDescription("Seconds between two strikes."), Options.withDefault(5)),
    takeover: Options.integer("takeover").pipe(Options.withDescription("Seconds."), Options.withDefault(10)),
    seed: Options.integer("seed").pipe(Options.withDefault(1)),
    strike: Options.choice("strike", strikeKinds).pipe(
      Options.withDescription("Only such ones; may be repeated."),
      Options.repeated
    ),
    output: Options.directory("output").pipe(
      Options.withDescription("Where to write what the processes print, while they do."),
      Options.optional
    ),
    beside: Options.file("beside").pipe(
      Options.withDescription(
        "dist/runtime/main.js of another version: all are of it at first, and `upgrade` takes them forth and back."
      ),
      Options.optional
    ),
    database: Options.text("database").pipe(
      Options.withDescription(
        "postgres://... on this machine, an empty one of a superuser's, in place of the tests' own server."
      ),
      Options.optional
    ),
    apart: Options.integer("apart").pipe(
      Options.withDescription("Minutes: the second one's clock is so far ahead, the third one's behind, and so on."),
      Options.withDefault(0)
    ),
    calm: Options.boolean("calm").pipe(Options.withDescription("No strikes: how much they do (docs/scaling.md).")),
    verbose: Options.boolean("verbose").pipe(Options.withDescription("What the processes have printed, in any case."))
  },
  ({ apart, beside, calm, database, every, orders, output: directory, processes, seed, strike, takeover, verbose }) =>
    Effect.gen(function* () {
      const main = yield* buildAgent
      const vmsOfEach = 4
      const vdcs = Math.max(1, Math.round(orders / ordersOf(1, vmsOfEach)))
      const usual = strikeKinds.filter((kind) => kind !== "upgrade" || Option.isSome(beside))
      const kinds = strike.length === 0 ? usual : strike
      const strikes = calm ? () => Effect.never : strikesByChance({ every, kinds, takeover })
      yield* Console.log(
        `${processes} processes, ${ordersOf(vdcs, vmsOfEach)} orders, ${calm ? "no strikes" : `seed ${seed}, a strike (${kinds.join(", ")}) every ${every} s or so`}`
      )
      const { lasted, nodes, output, rate, violations, ...done } = yield* storm({
        main,
        beside: Option.getOrUndefined(beside),
        url: Option.getOrUndefined(database),
        processes,
        takeover,
        ahead: apart === 0 ? undefined : (name) => (name === 1 ? 0 : name % 2 === 0 ? apart : -apart),
        vdcs,
        vmsOfEach,
        // Long enough that orders are parked; for a measurement, as short as a boot can be.
        bootTime: calm ? 100 : 3_000,
        pollInterval: 1,
        strikes: (site) =>
          Effect.raceFirst(strikes(site), Effect.forever(Effect.delay(writeOutputs(site, directory), "1 second")))
      })
      yield* writeOutputs({ nodes }, directory)
      if (violations.length > 0 || verbose) yield* Console.log(output)
      yield* Console.log(violations.map((one) => `  ${one}`).join("\n"))
      yield* Console.log(
        `${done.orders} orders in ${(lasted / 1000).toFixed(0)} s (${rate.toFixed(1)} machines/s made), ${violations.length} violations`
      )
      if (violations.length > 0) return yield* new ClusterFailed({ message: "Not all is as it should be." })
    }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)))
)

Command.run(cluster, { name: "Several processes", version: "1" })(process.argv).pipe(
  Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici)),
  NodeRuntime.runMain()
)
