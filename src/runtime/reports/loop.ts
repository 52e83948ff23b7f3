/** The reports of one offering, for as long as the agent runs. */
import { Cause, Clock, Duration, Effect, Random, Ref } from "effect"
import { publish } from "../activity.js"
import { countedRound } from "../metrics/index.js"
import type { OfferingHealth } from "../offerings/health.js"
import { closingReport, reportRetry } from "../schedules.js"
import type { Reporter } from "./measured.js"
import { billingPeriods } from "./periods.js"
import { type Report, type ReportOptions, report } from "./round.js"
import { summaryOf } from "./summary.js"

/**
 * Reports at once, then every `interval` (jittered by a fifth), and once more shortly before a month is over: Waldur may take nothing for it
 * afterwards (decision 35). What failed is tried again sooner. Never ends, never fails: that usage cannot be reported holds
 * up no order.
 */
export const reportUsage = (
  offering: Reporter & { readonly health: Pick<OfferingHealth, "passed"> },
  options: Omit<ReportOptions, "dryRun">,
  interval: Duration.DurationInput
) =>
  Effect.gen(function* () {
    const said = yield* Ref.make<ReadonlySet<string>>(new Set())
    const once = Effect.gen(function* () {
      yield* offering.health.passed
      const made = yield* report(offering, { ...options, dryRun: false })
      yield* warn(made, said)
      const detail = summaryOf(made)
      yield* Effect.logInfo(`Usage reported: ${detail}`)
      yield* publish({ _tag: "Offering", offering: offering.id, event: "reported", detail })
      if (made.failure !== undefined) return yield* Effect.fail(made.failure)
    })
    const closing = yield* Random.nextRange(...closingReport)
    const rest = Effect.gen(function* () {
      const usual = Duration.toMillis(interval) * (yield* Random.nextRange(0.8, 1.2))
      const now = yield* Clock.currentTimeMillis
      const [month] = yield* Effect.orElseSucceed(billingPeriods(now, options.timezone, 1), () => [])
      const left = (month?.until ?? Number.POSITIVE_INFINITY) - closing - now
      yield* Effect.sleep(left > 0 ? Math.min(left, usual) : usual)
    })
    yield* once.pipe(
      countedRound(offering.id, "usage"),
      Effect.tapError((error) => Effect.logWarning(`Usage not reported in full: ${error.message}`)),
      Effect.retry(reportRetry),
      // A bug here must not pass unseen, nor end the reports.
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.failCause(cause) : Effect.logError("A bug in the usage report", cause)
      ),
      Effect.zipRight(rest),
      Effect.forever
    )
  }).pipe(Effect.annotateLogs({ part: "usage" }))

/** What could not be read or would not be taken: said when it is new, not at every report. */
const warn = (made: Report, said: Ref.Ref<ReadonlySet<string>>) =>
  Effect.gen(function* () {
    const troubles = new Set([
      ...made.notices,
      ...made.rows
        .filter(({ outcome }) => outcome !== "sent" && outcome !== "unchanged" && outcome !== "failed")
        .map(
          ({ resource, component, period, outcome, detail }) =>
            `Usage of ${component} of resource ${resource} in ${period.slice(0, 7)} ${outcome}: ${detail}`
        )
    ])
    const before = yield* Ref.getAndSet(said, troubles)
    for (const trouble of troubles) if (!before.has(trouble)) yield* Effect.logWarning(trouble)
  })
