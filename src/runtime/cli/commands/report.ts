/** `site-actors report`: usage, now: what there is to tell, and what became of it. */
import { Command, Options } from "@effect/cli"
import { Cause, Console, Data, Effect, Either, Layer, Option } from "effect"
import { type Config, components, loadConfig, type OfferingConfig } from "../../config/index.js"
import * as Database from "../../journal/database.js"
import { connectWaldur, openBackend } from "../../offerings/open.js"
import { plugins } from "../../plugins.js"
import {
  report as makeReport,
  type Report,
  type Reporter,
  summaryOf,
  UsageMemory,
  usageMemory
} from "../../reports/index.js"
import { nameColumn, table } from "../../terminal/table.js"
import * as choose from "../choose.js"
import { described } from "../help.js"
import { type JournalPlace, journalPlace, NotPossible } from "../open-journal.js"
import * as options from "../options.js"

/** Something could not be reported; what was printed says what. */
export class ReportIncomplete extends Data.TaggedError("ReportIncomplete")<{
  readonly offerings: ReadonlyArray<string>
}> {
  override get message(): string {
    return `Not everything could be reported of ${this.offerings.join(", ")}.`
  }
}

const dryRun = Options.boolean("dry-run").pipe(
  Options.withDescription("Print what would be sent; send nothing and remember nothing.")
)

export const report = Command.make(
  "report",
  { config: options.config, dataDir: options.dataDir, offering: choose.offering, dryRun, json: options.json },
  (given) =>
    Effect.gen(function* () {
      const config = yield* loadConfig(given.config, plugins)
      const named = yield* choose.chosen(config, given.offering)
      const wanted = given.dryRun ? named : named.filter(({ functions }) => functions.reports)
      if (wanted.length === 0) {
        return yield* new NotPossible({
          reason: `reporting_backend is empty for ${named.map(({ name }) => JSON.stringify(name)).join(", ")}: set it to have usage reported. --dry-run shows what would be.`
        })
      }
      const memoMap = yield* Layer.makeMemoMap
      // Each is printed when it is done, so that one whose servers are away delays no other.
      const results = yield* Effect.forEach(
        wanted,
        (offering) =>
          reportOf(config, offering, memoMap, given.dryRun).pipe(
            Effect.scoped,
            Effect.exit,
            Effect.flatMap((exit) =>
              exit._tag === "Success"
                ? Effect.as(
                    given.json ? Effect.void : print(offering, exit.value),
                    exit.value.failure === undefined
                  ).pipe(
                    Effect.map((complete) => ({ name: offering.name, complete, shown: [asJson(offering, exit.value)] }))
                  )
                : Effect.as(Console.error(`${offering.name}: ${reasonOf(exit.cause)}`), {
                    name: offering.name,
                    complete: false,
                    shown: []
                  })
            )
          ),
        { concurrency: "unbounded" }
      ).pipe(
        Effect.provide(yield* memoryAt({ config: Option.some(given.config), dataDir: given.dataDir }, given.dryRun))
      )
      if (given.json)
        yield* Console.log(
          JSON.stringify(
            results.flatMap(({ shown }) => shown),
            null,
            2
          )
        )
      const incomplete = results.filter(({ complete }) => !complete).map(({ name }) => JSON.stringify(name))
      if (incomplete.length > 0) return yield* new ReportIncomplete({ offerings: incomplete })
    })
).pipe(
  Command.withDescription(
    described(
      "Reports usage to Waldur now, as the agent does on its schedule, and prints every figure: sent, unchanged, or why not.",
      "site-actors report -c config.yaml --dry-run",
      "site-actors report -c config.yaml --offering 'Virtual machines'"
    )
  )
)

/** The agent's own memory, also while it runs. A dry run makes no journal where there is none. */
const memoryAt = (place: JournalPlace, dry: boolean) =>
  Effect.map(journalPlace(place), ({ there, where }) =>
    dry && !there ? UsageMemory.none : Layer.provide(usageMemory, Database.layer(where))
  )

const reportOf = (config: Config, offering: OfferingConfig, memoMap: Layer.MemoMap, dry: boolean) =>
  Effect.gen(function* () {
    const waldur = yield* connectWaldur(offering)
    const inWaldur = yield* waldur.offering(offering.id)
    const known = components(offering, inWaldur.components)
    if (Either.isLeft(known)) {
      return yield* new NotPossible({ reason: known.left.map((fault) => fault.message).join(" ") })
    }
    const reporter: Reporter = {
      id: offering.id,
      name: offering.name,
      waldur,
      backend: yield* openBackend(offering, known.right, memoMap),
      components: known.right,
      quantities: offering.plugin.quantities,
      pluginOptions: Effect.succeed(inWaldur.pluginOptions)
    }
    return yield* makeReport(reporter, {
      timezone: config.timezone,
      periods: config.reportingPeriods,
      omitAnomalous: offering.omitAnomalousUsage,
      dryRun: dry
    })
  })

const asJson = ({ name, id }: OfferingConfig, { notices, rows }: Report) => ({ offering: id, name, notices, rows })

const print = ({ name }: OfferingConfig, made: Report) =>
  Console.log([name, ...made.notices, reportTable(made), `${summaryOf(made)}.`, ""].join("\n"))

const reportTable = ({ rows }: Report): string =>
  table(
    [
      nameColumn("resource"),
      { title: "month" },
      nameColumn("component"),
      { title: "amount", align: "right" },
      nameColumn("unit"),
      { title: "" },
      { title: "why" }
    ],
    rows.map((row) => [
      row.resourceName === "" ? row.resource : row.resourceName,
      row.period.slice(0, 7),
      row.component,
      row.amount === undefined ? "?" : String(row.amount),
      row.unit,
      row.outcome,
      row.detail
    ])
  )

/** A bug's text may hold anything, secrets too. */
const reasonOf = (cause: Cause.Cause<unknown>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => "The report broke off, because of a bug.",
    onSome: (error) => (error instanceof Error ? error.message : String(error))
  })
