/**
 * One order, from the marketplace's queue to `done` or `erred`: tried, and tried again after a rest, parked while it only waits, at its offering's gate
 * while that is stopped. What one attempt is: `attempt.ts`.
 *
 * - `accepting/`: what an order is decided to be, once, before it is approved.
 * - `report/`: what the marketplace is told of one.
 */
import { Cause, Duration, Effect, Exit, Option, Schedule, ScheduleDecision, ScheduleIntervals } from "effect"
import {
  aside,
  JournalUnavailable,
  LeaseLost,
  type OrderId,
  Parked,
  type SiteError,
  saying,
  spanned
} from "../../core/index.js"
import { JournalHealth } from "../journal/health.js"
import type { Lease } from "../journal/lease.js"
import { Metrics } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import { orderRetry } from "../schedules.js"
import { attempt } from "./attempt.js"
import { tell } from "./telling.js"
import { Wakes } from "./wakes.js"

/**
 * Carries an order out, however long it takes. Waits out what passes by itself, waits at the offering's gate while that is stopped.
 * Dies of a defect; fails with `LeaseLost` if another process has taken the resource over.
 */
export const processOrder = (offering: Offering, order: OrderId, lease: Lease) =>
  // Only one that has to wait there leaves its place.
  Effect.if(offering.health.waits, {
    onTrue: () => aside(offering.health.passed),
    onFalse: () => offering.health.passed
  }).pipe(
    // Whoever would come in its place would wait as well.
    Effect.zipRight(Effect.flatMap(JournalHealth, ({ passed }) => passed)),
    Effect.zipRight(attempt(offering, order, lease)),
    Effect.tap(() => offering.health.recovered),
    Effect.tapError((error) => (endsHere(error) ? Effect.void : resting(offering, order, lease, error))),
    untilWoken(order),
    Effect.ensuring(offering.health.noRival(order)),
    // One that is parked is still at work, as far as anybody can tell from outside.
    Effect.onExit((exit) =>
      Exit.isFailure(exit) && Option.exists(Cause.failureOption(exit.cause), (error) => error instanceof Parked)
        ? Effect.void
        : Effect.map(Metrics, (metrics) => metrics.orderLeft(order))
    ),
    Effect.catchTag("Parked", (parked) => park(offering, order, lease, parked)),
    saying({ part: "orders", order, resource: lease.resource, offering: offering.name }),
    // A trace of its own: whatever brought it here may have brought others before.
    spanned("order", {
      root: true,
      attributes: { order, resource: lease.resource, offering: offering.id }
    })
  )

/** After these nothing is tried again here. */
const endsHere = (error: SiteError): error is LeaseLost | Parked =>
  error instanceof LeaseLost || error instanceof Parked

/** It waits without a fiber, and is sent here again when it is woken. */
const park = (offering: Offering, order: OrderId, { resource }: Lease, parked: Parked) =>
  Effect.flatMap(Wakes, (wakes) =>
    Effect.as(wakes.park({ offering: offering.id, order, resource }, parked), "parked" as const)
  )

/** The journal was away for so long: then whoever waited for it need not rest beside. */
const outage = Duration.seconds(1)

/**
 * Tries again after a rest, or as soon as somebody asks for it (`site-actors retry`), or as soon as a journal that was away is there again. Only a
 * lost lease ends it, or an order that is parked.
 */
const untilWoken =
  (order: OrderId) =>
  <A, E extends SiteError, R>(
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, LeaseLost | Parked, R | Wakes | JournalHealth> =>
    Effect.gen(function* () {
      const wakes = yield* Wakes
      const health = yield* JournalHealth
      const rests = yield* Schedule.driver(
        Schedule.onDecision(orderRetry, (_, decision) =>
          ScheduleDecision.isContinue(decision)
            ? wakes.rests(order, ScheduleIntervals.start(decision.intervals))
            : Effect.void
        )
      )
      const woken = Effect.zipRight(wakes.woken(order), rests.reset)
      const rest = (error: E) => Effect.ignore(rests.next(error))
      const restFor = (error: E) =>
        error instanceof JournalUnavailable
          ? Effect.flatMap(Effect.timed(health.passed), ([waited]) =>
              Duration.greaterThanOrEqualTo(waited, outage)
                ? rests.reset
                : Effect.zipRight(Effect.logWarning(`Waits: ${error.message}`), rest(error))
            )
          : rest(error)
      const go: Effect.Effect<A, LeaseLost | Parked, R> = Effect.catchAll(effect, (error) =>
        endsHere(error)
          ? Effect.fail(error)
          : Effect.zipRight(
              aside(Effect.raceFirst(restFor(error), woken)),
              Effect.suspend(() => go)
            )
      )
      return yield* go
    })

const resting = (offering: Offering, order: OrderId, lease: Lease, error: SiteError) =>
  Effect.gen(function* () {
    // What is wrong with the journal is no fault of the offering, and is said once for all (`journal/health.ts`).
    if (!(error instanceof JournalUnavailable)) {
      yield* offering.health.report(error)
      yield* Effect.logWarning(`Waits: ${error.message}`)
    }
    const metrics = yield* Metrics
    metrics.orderRests(order, offering.id)
    yield* tell(offering, { order, resource: lease.resource }, "retrying", error.message)
  })
