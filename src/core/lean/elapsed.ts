/** Time that passes, as against the time that it is. */
import { Clock, Duration, Effect, Option, Schedule, ScheduleDecision, ScheduleInterval } from "effect"

/**
 * Whole milliseconds since some moment in the past, by a clock that nobody sets: for pauses and deadlines within one process. The time of day may
 * jump by an hour, and what waits must neither give up for it nor wait an hour longer.
 */
export const steadyMillis: Effect.Effect<number> = Effect.clockWith((clock) => Effect.succeed(steadyMillisBy(clock)))

/** The same, where no fiber is at hand. */
export const steadyMillisBy = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)

/** A moment by both clocks. */
export interface Moment {
  readonly steady: number
  readonly day: number
}

export const momentBy = (clock: Clock.Clock): Moment => ({
  steady: steadyMillisBy(clock),
  day: clock.unsafeCurrentTimeMillis()
})

export const moment: Effect.Effect<Moment> = Effect.clockWith((clock) => Effect.sync(() => momentBy(clock)))

/**
 * Milliseconds since then by whichever clock says more, for what has to know of every pause. The one that nobody sets stands still while the whole machine
 * is suspended (`CLOCK_MONOTONIC` in clock_gettime(2)), and the time of day may be set back.
 */
export const passedBy = (clock: Clock.Clock, { day, steady }: Moment): number =>
  Math.max(steadyMillisBy(clock) - steady, Math.abs(clock.unsafeCurrentTimeMillis() - day))

/** That clock as it is, and another time of day (ms since 1970). */
export const withTimeOfDay = (clock: Clock.Clock, timeOfDay: () => number): Clock.Clock => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: timeOfDay,
  currentTimeMillis: Effect.sync(timeOfDay),
  unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
  currentTimeNanos: clock.currentTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

/** `Schedule.elapsed` by that clock: recurs for ever, with the milliseconds since its first recurrence. */
const elapsedSteadily: Schedule.Schedule<number> = Schedule.makeWithState(
  Option.none<number>(),
  (now: number, _: unknown, since: Option.Option<number>) =>
    Effect.map(steadyMillis, (at) => {
      const began = Option.getOrElse(since, () => at)
      return [Option.some(began), at - began, ScheduleDecision.continueWith(ScheduleInterval.after(now))] as const
    })
)

/** `Schedule.upTo` by that clock: recurs no more once the duration has passed since the first recurrence. */
export const upToSteadily =
  (duration: Duration.DurationInput) =>
  <Out, In, R>(schedule: Schedule.Schedule<Out, In, R>): Schedule.Schedule<Out, In, R> =>
    Schedule.zipLeft(
      schedule,
      Schedule.whileOutput(elapsedSteadily, (elapsed) => elapsed < Duration.toMillis(duration))
    )
