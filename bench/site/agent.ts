/** The agent's configuration and process, and what the system says of the process. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect, Schema } from "effect"
import { stringify } from "yaml"
import { pairOfOfferings } from "../../test/crash/pair.js"
import { startAgent } from "../../test/crash/process.js"
import type { Span } from "../figures.js"
import type { Simulators } from "./simulators.js"

export interface AgentOptions {
  /** Path of the agent's entry point. */
  readonly main: string
  /** Path of `preload.ts`, built. */
  readonly preload: string
  readonly events: boolean
  /** s */
  readonly pollInterval: number
  /** Whether each of its calls is written down as it sees it: some microseconds a call. */
  readonly callsSeen?: boolean
  /** Beside the usual ones. */
  readonly nodeOptions?: ReadonlyArray<string>
  readonly settings?: Readonly<Record<string, unknown>>
  /** Of the machines' offering, beside the usual ones. */
  readonly machineSettings?: Readonly<Record<string, unknown>>
}

const decodeCall: (line: string) => Span = Schema.decodeUnknownSync(
  Schema.parseJson(Schema.Struct({ from: Schema.Number, to: Schema.Number }))
)

/** A new data directory on the disk that also has this program: where a journal would be, not in memory. */
export const prepareAgent = (simulators: Simulators, options: AgentOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "site-actors-bench-" })
    const configuration = {
      poll_interval: options.pollInterval,
      http: { port: false },
      ...options.settings,
      offerings: pairOfOfferings(
        simulators,
        options.events ? { stomp_enabled: true, websocket_use_tls: false } : {},
        options.machineSettings
      )
    }
    const configFile = join(directory, "config.yaml")
    yield* fs.writeFileString(configFile, stringify(configuration), { mode: 0o600 })
    const dataDir = join(directory, "data")
    const callsFile = join(directory, "calls")
    const watching =
      options.callsSeen === true
        ? { nodeOptions: ["--import", options.preload], environment: { SITE_ACTORS_BENCH_CALLS: callsFile } }
        : { nodeOptions: [], environment: {} }
    return {
      configFile,
      dataDir,
      /** With `callsSeen`: what it has seen of its calls so far. */
      calls: Effect.map(Effect.orDie(fs.readFileString(callsFile)), (text) =>
        text.split("\n").flatMap((line) => (line === "" ? [] : decodeCall(line)))
      ),
      start: startAgent({
        main: options.main,
        configFile,
        dataDir,
        environment: watching.environment,
        nodeOptions: [...watching.nodeOptions, ...(options.nodeOptions ?? [])]
      })
    }
  })

/** Of all the process's threads so far, in ms. */
export const cpuMillis = (pid: number): Effect.Effect<number> =>
  Effect.promise(async () => {
    const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ")
    return (Number(fields[11]) + Number(fields[12])) * 10
  })

/** MB of the machine's memory: now, and at most so far. */
export const residentMb = (pid: number): Effect.Effect<{ readonly now: number; readonly most: number }> =>
  Effect.promise(async () => {
    const status = await readFile(`/proc/${pid}/status`, "utf8")
    const of = (name: string) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]) / 1000)
    return { now: of("VmRSS"), most: of("VmHWM") }
  })
