/** The figures as text. */
import { cpus, loadavg, totalmem } from "node:os"
import { table } from "../../src/runtime/terminal/table.js"
import type { LoadOptions, LoadResult, Wave } from "./run.js"

export const machine = (): string => {
  const [first] = cpus()
  return `${cpus().length} cores (${first?.model.trim() ?? "?"}), ${Math.round(totalmem() / 1e9)} GB, Node ${process.version}, load average ${loadavg()
    .map((load) => load.toFixed(1))
    .join(" ")}`
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1)

/** The agent's memory may grow this far beyond what it had at half of the orders. */
const growth = 1.25
/** MB that 2,000 orders may leave on the heap: what is in work, open connections, code that was compiled. */
const heapGrowth = 40

const peak = (samples: Wave["samples"]): number => Math.max(0, ...samples.map(({ resident }) => resident))

const halves = ({ samples }: Wave) => {
  const middle = samples.findIndex(({ ended }) => ended * 2 >= (samples.at(-1)?.ended ?? 0))
  return { first: peak(samples.slice(0, middle + 1)), second: peak(samples.slice(middle)) }
}

/** Sentences about memory that is not flat. */
export const memoryFaults = ({ heap, wave }: LoadResult): ReadonlyArray<string> => {
  const { first, second } = halves(wave)
  return [
    ...(second > first * growth ? [`resident memory rose from ${first} to ${second} MB in the second half`] : []),
    ...(heap.after > heap.before + heapGrowth
      ? [`the heap has ${heap.after} MB in use, before it ${heap.before} MB`]
      : [])
  ]
}

const everyTenth = ({ samples }: Wave) =>
  samples.filter((_, at) => at % Math.max(1, Math.ceil(samples.length / 12)) === 0 || at === samples.length - 1)

export const isGood = (result: LoadResult): boolean =>
  [...result.found.duplicates, ...result.found.leftovers, ...result.found.wrong, ...memoryFaults(result)].length === 0

export const report = (options: LoadOptions, result: LoadResult): string => {
  const { erred, done, faults, found, heap, terminated, wave } = result
  const list = (title: string, lines: ReadonlyArray<string>) => [
    `${lines.length} ${title}`,
    ...lines.slice(0, 20).map((line) => `  ${line}`)
  ]
  const disturbed = [...faults.counts].map(([kind, count]) => `${count} ${kind}`)
  return [
    `${options.orders} orders at once: ${done} done, ${erred} erred (machines that did not boot), in ${seconds(wave.milliseconds)} s, ${((options.orders * 1000) / wave.milliseconds).toFixed(1)} orders/s`,
    ...(terminated === undefined ? [] : [`then everything was ended by its customers`]),
    `${faults.calls()} calls of the agent; disturbed: ${disturbed.join(", ")}`,
    "",
    table(
      [
        { title: "s", align: "right" },
        { title: "ended", align: "right" },
        { title: "resident MB", align: "right" }
      ],
      everyTenth(wave).map(({ at, ended, resident }) => [seconds(at), String(ended), String(resident)])
    ),
    "",
    `heap in use after a collection: ${heap.before} MB before, ${heap.after} MB when actors have left memory again; resident at most ${halves(wave).first} MB in the first half, ${halves(wave).second} MB in the second`,
    ...list("duplicates", found.duplicates),
    ...list("leftovers", found.leftovers),
    ...list("otherwise wrong", [...found.wrong, ...memoryFaults(result)]),
    machine()
  ].join("\n")
}
