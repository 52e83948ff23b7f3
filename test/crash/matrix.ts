/** All cells: at each call of each operation, each moment. Run a few at a time, told as they come, and summed up. */
import { Console, Effect } from "effect"
import { table } from "../../src/runtime/terminal/table.js"
import { type Operation, type OperationName, operations } from "./operations.js"
import type { SiteOptions } from "./site.js"
import { type Moment, moments } from "./strike.js"
import { type DryRun, dryRun, type Kind, type Trial, trial } from "./trial.js"

/** One cell. `call`: from 1, in the order of the dry run. */
export interface CellName {
  readonly call: number
  readonly moment: Moment
}

export interface MatrixOptions extends SiteOptions {
  readonly operations: ReadonlyArray<OperationName>
  /** Kills the agent that was started after the first strike once more, at its next call. */
  readonly twice: boolean
  /** Only this one; left out: all. */
  readonly cell?: CellName | undefined
  /** How many at a time. */
  readonly concurrency: number
}

interface Result extends CellName {
  readonly operation: Operation
  readonly trial: Trial
}

/** A call that did not come in this run (an answer was quicker, a look came out otherwise) is tried again this often. */
const furtherTries = 2

const cellsOf = (dry: DryRun, only: CellName | undefined): ReadonlyArray<CellName> =>
  dry.calls
    .flatMap((_, at) => moments.map((moment) => ({ call: at + 1, moment })))
    .filter(({ call, moment }) => only === undefined || (only.call === call && only.moment === moment))

const runCell = (options: MatrixOptions, operation: Operation, dry: DryRun, { call, moment }: CellName) => {
  const strike = dry.calls[call - 1]
  const once =
    strike === undefined
      ? Effect.dieMessage(`no call ${call}`)
      : trial(options, operation, dry, [
          { call: strike, moment },
          ...(options.twice ? [{ call: "next" as const, moment }] : [])
        ])
  return Effect.repeat(once, {
    times: furtherTries,
    until: ({ violations }) => !violations.some(({ text }) => text.startsWith("never came: the call"))
  }).pipe(Effect.map((trial): Result => ({ call, moment, operation, trial })))
}

const count = (results: ReadonlyArray<Result>, kind: Kind): number =>
  results.flatMap(({ trial }) => trial.violations).filter((one) => one.kind === kind).length

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1)

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const tell = ({ call, moment, operation, trial }: Result) =>
  trial.violations.length === 0
    ? Effect.void
    : Console.log(
        [
          `\n${operation.title}, call ${call}, moment ${moment}  (--operation ${operation.name} --cell ${call}:${moment})`,
          ...trial.violations.map(({ kind, text }) => `  ${kind}: ${text}`),
          trial.output
        ].join("\n")
      )

const tableOf = (dry: DryRun, results: ReadonlyArray<Result>): string =>
  table(
    [
      { title: "call", align: "right" },
      { title: "system" },
      { title: "step" },
      { title: "moments" },
      { title: "duplicates", align: "right" },
      { title: "leftovers", align: "right" },
      { title: "wrong", align: "right" },
      { title: "recovery s", align: "right" }
    ],
    dry.calls.flatMap(({ name, ordinal, system }, at) => {
      const own = results.filter(({ call }) => call === at + 1)
      if (own.length === 0) return []
      return [
        [
          String(at + 1),
          system,
          ordinal === 1 ? name : `${name} (${ordinal})`,
          own.map(({ moment }) => moment).join(" "),
          ...(["duplicate", "leftover", "wrong"] as const).map((kind) => String(count(own, kind))),
          own.map(({ trial }) => seconds(trial.recovery)).join(" ")
        ]
      ]
    })
  )

/** The cells of one operation, and its table. */
const runOperation = (options: MatrixOptions, operation: Operation) =>
  Effect.gen(function* () {
    const dry = yield* dryRun(options, operation)
    const results = yield* Effect.forEach(
      cellsOf(dry, options.cell),
      (cell) => Effect.tap(runCell(options, operation, dry, cell), tell),
      { concurrency: options.concurrency }
    )
    yield* Console.log(`\n${operation.title}\n\n${tableOf(dry, results)}`)
    return results
  })

/** Runs and prints it; answers whether all cells were as they should be. */
export const runMatrix = (options: MatrixOptions) =>
  Effect.gen(function* () {
    yield* Console.log(
      "Moments: a before the call is carried out, b after that and before the answer is read, c after the journal has it.\n"
    )
    const chosen = [...operations.values()].filter(({ name }) => options.operations.includes(name))
    const results = (yield* Effect.forEach(chosen, (operation) => runOperation(options, operation))).flat()
    const recoveries = results.map(({ trial }) => trial.recovery)
    const [duplicates, leftovers, wrong] = [
      count(results, "duplicate"),
      count(results, "leftover"),
      count(results, "wrong")
    ]
    yield* Console.log(
      `\n${results.length} cells, ${duplicates} duplicates, ${leftovers} leftovers, ${wrong} otherwise wrong, recovery median ${seconds(median(recoveries))} s max ${seconds(Math.max(0, ...recoveries))} s`
    )
    return results.length > 0 && results.every(({ trial }) => trial.violations.length === 0)
  })
