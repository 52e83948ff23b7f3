/** How much memory the agent's process has, from outside: what the system counts, and what remains when garbage is gone. */
import { execFile } from "node:child_process"
import { resolve } from "node:path"
import { promisify } from "node:util"
import { Effect } from "effect"
import type { AgentProcess } from "../crash/process.js"
import { until } from "../crash/waits.js"

/** For the agent whose heap is to be asked for. From the repository's root, as this may run from a bundle. */
export const heapOptions = ["--expose-gc", "--import", resolve("test/load/heap.mjs")]

const run = promisify(execFile)

/** MB that the process has of the machine's memory; 0 when it has ended. */
export const residentMb = ({ pid }: AgentProcess): Effect.Effect<number> =>
  Effect.promise(() =>
    run("ps", ["-o", "rss=", "-p", String(pid)]).then(
      ({ stdout }) => Math.round(Number(stdout) / 1000),
      () => 0
    )
  )

const answers = (agent: AgentProcess) => [...agent.output().matchAll(/^heap in use ([\d.]+)$/gm)]

/** MB of the heap that are in use after a collection. */
export const heapMb = (agent: AgentProcess) =>
  Effect.gen(function* () {
    const before = answers(agent).length
    agent.signal("SIGUSR2")
    yield* until("the agent's heap", () => answers(agent).length > before)
    return Number(answers(agent).at(-1)?.[1])
  })
