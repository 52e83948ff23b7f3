/** All benchmarks, in the order in which they run. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type { Effect, Scope } from "effect"
import type { Figure } from "../figures.js"
import type { Given } from "../site/bench.js"
import { atOnce, growth, throughput } from "./burst.js"
import { decode } from "./decode.js"
import { latency } from "./latency.js"
import { idle, start, waiting } from "./standing.js"
import { usage } from "./usage.js"

export interface Benchmark {
  readonly name: string
  readonly run: (given: Given) => Effect.Effect<ReadonlyArray<Figure>, unknown, FileSystem.FileSystem | Scope.Scope>
}

export const benchmarks: ReadonlyArray<Benchmark> = [
  { name: "decode", run: decode },
  { name: "latency", run: latency },
  { name: "at-once", run: atOnce },
  { name: "throughput", run: throughput },
  { name: "waiting", run: waiting },
  { name: "idle", run: idle },
  { name: "usage", run: usage },
  { name: "start", run: start },
  { name: "growth", run: growth }
]
