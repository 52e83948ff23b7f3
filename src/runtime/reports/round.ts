/** One usage report of an offering: everything is read once, and each resource's figures that have changed are sent. */
import { Array, Clock, Effect, Ref } from "effect"
import type { JournalUnavailable, OfferingFault, ResourceId, SiteError } from "../../core/index.js"
import type { WaldurError } from "../../waldur/index.js"
import { figuresOf } from "./figures.js"
import { makeHeard } from "./heard.js"
import { type Measured, measuredBy, type Reporter } from "./measured.js"
import { type ToldRow, UsageMemory } from "./memory.js"
import type { Part } from "./part.js"
import { billingPeriods } from "./periods.js"
import { endingSubjects, readUsages, type Subjects, subjectsOf } from "./read.js"
import { lessUntaken, type ReportRow, tellAll } from "./tell.js"
import { refusalKept } from "./verdicts.js"

export interface ReportOptions {
  /** For billing periods: "Europe/Tallinn". */
  readonly timezone: string
  /** How many billing periods are reported: 1 is the current one alone. */
  readonly periods: number
  /** Leave out figures that went down, and send the rest. */
  readonly omitAnomalous: boolean
  /** Say what would be sent, send nothing and remember nothing. */
  readonly dryRun: boolean
}

export interface Report {
  readonly rows: ReadonlyArray<ReportRow>
  /** What concerns the offering as a whole. */
  readonly notices: ReadonlyArray<string>
  /** The first failure of something that may pass; the rest of the report stands. */
  readonly failure: SiteError | undefined
}

/** Resources that Waldur is told of at once. */
const concurrency = 4

type Reported = Effect.Effect<Report, WaldurError | JournalUnavailable | OfferingFault, UsageMemory>

/** Fails with what stands in the way of the whole report; what stands in the way of single figures is said in their rows. */
export const report = (offering: Reporter, options: ReportOptions): Reported =>
  reportOf(offering, options, (told, measured) => subjectsOf(offering, told, measured))

/** The hours of resources that are about to end: of one that has, Waldur takes none any more. */
export const reportEnding = (
  offering: Reporter,
  options: ReportOptions,
  resources: ReadonlyArray<ResourceId>
): Reported => reportOf(offering, options, () => endingSubjects(offering, resources))

const reportOf = (
  offering: Reporter,
  options: ReportOptions,
  about: (told: ReadonlyArray<ToldRow>, measured: Measured) => Effect.Effect<Subjects, WaldurError>
): Reported =>
  Effect.gen(function* () {
    const memory = yield* UsageMemory
    const now = yield* Clock.currentTimeMillis
    const all = yield* billingPeriods(now, options.timezone, options.periods)
    const periods = all.filter(({ open }) => open)
    const measured = measuredBy(offering)
    const told = yield* memory.since(offering.id, periods[0]?.key ?? "")
    const toldOf = Array.groupBy(told, (row) => `${row.resource} ${row.period}`)
    const { subjects, notices } = yield* about(told, measured)
    const usages = yield* readUsages(offering, subjects, periods, measured)
    const parts = subjects.flatMap((subject) =>
      periods.map((period): Part => {
        // What is allocated now says nothing of a month that is over, nor of a resource that has ended.
        const current = period.current && !subject.ended ? figuresOf(measured.now, usages.current(subject)) : []
        const rows = toldOf[`${subject.resource.id} ${period.key}`] ?? []
        return {
          subject,
          period,
          figures: [...current, ...figuresOf(measured.period, usages.accounted(subject, period))],
          told: new Map(rows.map((row) => [row.component, row]))
        }
      })
    )
    const before = untakenBefore(measured, told, now)
    const untaken = yield* Ref.make(before)
    const { dryRun, omitAnomalous } = options
    const worth = parts.filter(isWorthTelling)
    const heard = yield* makeHeard(
      offering,
      worth.map((part) => lessUntaken(part, before)),
      now
    )
    const teller = { offering, memory, measured, now, omitAnomalous, dryRun, untaken, heard }
    const results = yield* tellAll(teller, worth, concurrency)
    const never = yield* Ref.get(untaken)
    return {
      // Said once, and not of each resource.
      rows: results.flatMap(({ rows }) => rows.filter(({ component }) => !never.has(component))),
      notices: [
        ...measured.notices,
        ...all
          .filter(({ open }) => !open)
          .map(({ key }) => `Usage of ${key.slice(0, 7)} is told from noon (UTC) of its first day on.`),
        ...notices,
        ...(never.size === 0
          ? []
          : [
              `Waldur takes no usage of ${[...never].toSorted().join(", ")}, billed by plan (fixed): it is not reported.`
            ])
      ],
      failure: usages.failure ?? results.find(({ failure }) => failure !== undefined)?.failure
    }
  })

/** Components of plans of which Waldur has refused usage, not long ago. */
const untakenBefore = ({ fixed }: Measured, told: ReadonlyArray<ToldRow>, now: number): ReadonlySet<string> =>
  new Set(
    told
      .filter(({ at, component, refusal }) => fixed.has(component) && refusal !== undefined && now - at < refusalKept)
      .map(({ component }) => component)
  )

/** Of a past month in which nothing was used nobody need hear: the resource may not have been there yet. */
const isWorthTelling = ({ period, figures, told }: Part): boolean =>
  figures.length > 0 && (period.current || told.size > 0 || figures.some(({ amount }) => amount !== 0))
