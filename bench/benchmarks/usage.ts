/** Usage of 1,000 data centres and 10,000 machines, read as `site-actors report --dry-run` reads it: the sending is one call a resource by nature. */
import { spawn } from "node:child_process"
import { Effect } from "effect"
import type { Figure } from "../figures.js"
import { commands } from "../simulators/protocol.js"
import { type Given, instant, openSite } from "../site/bench.js"

/** ms that it took, and what was said. */
const timedRun = (words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const began = performance.now()
    const said = yield* ran(words)
    return [said, performance.now() - began] as const
  })

const ran = (words: ReadonlyArray<string>): Effect.Effect<string> =>
  Effect.async((resume) => {
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] })
    const said: Array<string> = []
    child.stdout.on("data", (text: Buffer) => said.push(text.toString("utf8")))
    child.stderr.on("data", (text: Buffer) => said.push(text.toString("utf8")))
    child.once("close", (code) =>
      resume(code === 0 ? Effect.succeed(said.join("")) : Effect.dieMessage(`report: ${said.join("").slice(-2_000)}`))
    )
  })

/** The rest of an answer's pages is asked for in calls of this size by the agent. */
const pageSize = 300

export const usage = (given: Given) =>
  Effect.gen(function* () {
    const [vdcs, vms] = given.tiny ? [1, 2] : [1_000, 10_000]
    const { agent, simulators } = yield* openSite(given, instant)
    yield* given.tell("usage: making 1,000 data centres and 10,000 machines")
    yield* simulators.ask(commands.dataCentres, vdcs)
    yield* simulators.ask(commands.machines, vms)
    const report = (...more: ReadonlyArray<string>) =>
      timedRun([given.agent, "report", ...more, "--config", agent.configFile, "--data-dir", agent.dataDir])
    const [, start] = yield* timedRun([given.agent, "--version"])
    yield* simulators.ask(commands.forgetCalls, null)
    const [said, took] = yield* report("--dry-run", "--json")
    const counts = yield* simulators.ask(commands.callCounts, null)
    const of = (prefix: RegExp) =>
      Object.entries(counts).reduce((sum, [name, count]) => (prefix.test(name) ? sum + count : sum), 0)
    const seconds = (took - start) / 1000
    yield* given.tell(`usage: ${said.length} characters said`)
    return [
      {
        what: "Usage of 1,000 VDCs and 10,000 VMs: read",
        value: seconds,
        unit: "s",
        reach: { atMost: 3 },
        work: seconds * 1000
      },
      { what: "Usage of 1,000 VDCs and 10,000 VMs: calls of the backend", value: of(/^one\./), unit: "calls" },
      {
        what: "Usage of 1,000 VDCs and 10,000 VMs: calls of the marketplace",
        value: of(/^(GET|POST)/),
        unit: "calls",
        reach: { atMost: Math.ceil(vdcs / pageSize) + Math.ceil(vms / pageSize) + 20 }
      }
    ] satisfies ReadonlyArray<Figure>
  }).pipe(Effect.scoped)
