/** `npm run chaos`: one seed with its story, or a range or list of seeds with a summary. */
import { Schema } from "effect"
import { runSeed, type Verdict } from "./run.js"

const argument = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? undefined : process.argv[at + 1]
}
const flag = (name: string): boolean => process.argv.includes(`--${name}`)
const only = argument("only")?.split(",")
const print = (text: string) => process.stdout.write(`${text}\n`)

const told = (verdict: Verdict): string =>
  verdict.violation === undefined
    ? `seed ${verdict.seed} passed: ${verdict.orders} orders, ${verdict.faultsCaused} faults, ${verdict.virtualMinutes} virtual minutes, story ${verdict.digest}`
    : `seed ${verdict.seed} FAILED: ${verdict.violation.message}`

const seed = argument("seed")
/** What came of a job, and what to print of it. */
interface Outcome {
  readonly failed: boolean
  readonly text: string
}

const once = async (wanted: number): Promise<Outcome> => {
  const verdict = await runSeed({ seed: wanted, ...(only === undefined ? {} : { only }) })
  return { failed: verdict.violation !== undefined, text: told(verdict) }
}

/** The two digests, and where the stories part. */
const bothTimes = async (wanted: number): Promise<Outcome> => {
  const runs = [await runSeed({ seed: wanted, trace: true }), await runSeed({ seed: wanted, trace: true })]
  const [one = [], other = []] = runs.map(({ story }) => story.split("\n"))
  const at = one.findIndex((line, index) => line !== other[index])
  const parting = at < 0 ? [] : [...one.slice(at - 3, at + 3), "---", ...other.slice(at, at + 3)]
  return {
    failed: at >= 0,
    text: [["twice", ...runs.map(({ digest }) => digest)].join(" "), ...parting].join("\n")
  }
}

const Job = Schema.Union(
  Schema.Struct({ seed: Schema.Number, twice: Schema.Boolean }),
  Schema.Struct({ end: Schema.Literal(true) })
)

if (flag("served")) {
  // One job a message, one answer each.
  process.on("message", (message) => {
    const job = Schema.decodeUnknownSync(Job)(message)
    // What processes that were killed have left open (their timers, above all) must not keep this one.
    if ("end" in job) process.exit(0)
    void (job.twice ? bothTimes : once)(job.seed).then((outcome) => process.send?.(outcome))
  })
  process.on("disconnect", () => process.exit(0))
} else if (seed !== undefined) {
  const verdict = await runSeed({ seed: Number(seed), trace: flag("trace"), ...(only === undefined ? {} : { only }) })
  if (flag("trace")) print(verdict.story)
  print(told(verdict))
  process.exit(verdict.violation === undefined ? 0 : 1)
} else {
  const from = Number(argument("from") ?? 1)
  const count = Number(argument("seeds") ?? 200)
  const seeds = Array.from({ length: count }, (_, index) => from + index)
  const began = performance.now()
  let failed = 0
  for (const [done, at] of seeds.entries()) {
    const verdict = await runSeed({ seed: at, ...(only === undefined ? {} : { only }) })
    if (flag("verbose") || verdict.violation !== undefined) print(told(verdict))
    if (verdict.violation !== undefined) failed += 1
    if (verdict.violation !== undefined && flag("until-found")) {
      print(`found after ${done + 1} seeds: ${verdict.violation.message.split("\n")[0]}`)
      break
    }
  }
  const seconds = (performance.now() - began) / 1000
  print(
    `${count - failed} of ${count} seeds passed in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(1)} a second)`
  )
  // What processes that were killed have left open (their timers, above all) must not keep this one.
  process.exit(failed === 0 ? 0 : 1)
}
