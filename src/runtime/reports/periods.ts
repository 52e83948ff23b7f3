/** Billing periods: calendar months, as the clocks on the wall in the configured time zone count them. */
import { DateTime, Effect } from "effect"
import { OfferingFault, type Span } from "../../core/index.js"

export interface BillingPeriod extends Span {
  /** Waldur's name for it: the first day, YYYY-MM-01. */
  readonly key: string
  /** The moment to report for, ISO 8601: the period's last day; in this month on every server's clock. Absent: whatever the server's clock says. */
  readonly date: string | undefined
  readonly current: boolean
  /** Whether it can be told by now. Not in the first hours of a month: some servers still book under the last one, and none takes a date to come. */
  readonly open: boolean
}

/** The current month and those before it, oldest first. `now` in ms since 1970; `timezone`: "Europe/Tallinn". */
export const billingPeriods = (
  now: number,
  timezone: string,
  count: number
): Effect.Effect<ReadonlyArray<BillingPeriod>, OfferingFault> =>
  DateTime.makeZoned(now, { timeZone: timezone }).pipe(
    Effect.mapError(
      () =>
        new OfferingFault({
          reason: `The time zone ${timezone} is not known here.`,
          hint: 'Set timezone to one such as "Europe/Tallinn" or "UTC".'
        })
    ),
    Effect.map((today) =>
      Array.from({ length: count }, (_, back) => {
        const first = monthFrom(today, -back)
        const next = monthFrom(today, 1 - back)
        return {
          key: DateTime.formatIsoDate(first),
          ...booking(first, back === 0 ? now : Number.POSITIVE_INFINITY),
          from: DateTime.toEpochMillis(first),
          until: DateTime.toEpochMillis(next),
          current: back === 0
        }
      }).toReversed()
    )
  )

/**
 * The beginning of the month that is so many later. From noon on the first: going back from the 31st would land in the wrong month, and there
 * are time zones in which a month began without a midnight, where arithmetic and calendar say different things.
 */
const monthFrom = (today: DateTime.Zoned, months: number): DateTime.Zoned => {
  const noon = DateTime.add(DateTime.startOf(today, "month"), { hours: 12 })
  return DateTime.startOf(DateTime.add(noon, { months }), "month")
}

/**
 * Waldur books a figure under the month that it is on the server's clock. So that this is our month too, wherever the server is, nothing is told
 * before noon (UTC) of the first day, nor dated after nine on the last: the earth's time zones go from -12 to +14 hours. In between there is
 * no need of a date, which a clock that is a second fast would put into the future (source: waldur-mastermind, marketplace/serializers.py).
 */
const booking = (first: DateTime.Zoned, at: number): Pick<BillingPeriod, "date" | "open"> => {
  const { year, month } = DateTime.toParts(first)
  const latest = Date.UTC(year, month, 0, 9)
  return {
    date: at > latest ? new Date(latest).toISOString() : undefined,
    open: at >= Date.UTC(year, month - 1, 1, 12)
  }
}
