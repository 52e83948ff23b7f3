/** `npm run chaos`: one seed with its story, or a range or list of seeds with a summary. */
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
const twice = argument("twice")
if (twice !== undefined) {
  const runs = [
    await runSeed({ seed: Number(twice), trace: true }),
    await runSeed({ seed: Number(twice), trace: true })
  ]
  const [one = [], other = []] = runs.map(({ story }) => story.split("\n"))
  const at = one.findIndex((line, index) => line !== other[index])
  print(runs.map(({ digest }) => digest).join(" "))
  if (at >= 0) print(`${[...one.slice(at - 3, at + 3), "---", ...other.slice(at, at + 3)].join("\n")}`)
  process.exit(at >= 0 ? 1 : 0)
}
if (seed !== undefined) {
  const verdict = await runSeed({ seed: Number(seed), trace: flag("trace"), ...(only === undefined ? {} : { only }) })
  if (flag("trace")) print(verdict.story)
  print(told(verdict))
  process.exit(verdict.violation === undefined ? 0 : 1)
} else {
  const from = Number(argument("from") ?? 1)
  const range = Array.from({ length: Number(argument("seeds") ?? 200) }, (_, index) => from + index)
  const seeds = argument("list")?.split(",").map(Number) ?? range
  const count = seeds.length
  const began = performance.now()
  let failed = 0
  for (const [done, at] of seeds.entries()) {
    const verdict = await runSeed({ seed: at, ...(only === undefined ? {} : { only }) })
    if (flag("verbose") || argument("list") !== undefined || verdict.violation !== undefined) print(told(verdict))
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
