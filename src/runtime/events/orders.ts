/**
 * An order's event: the order is read as it is now, and handed to its actor. Complete, and so acknowledged, when its acceptance is in the
 * journal, or when it turns out that there is nothing to do. Nothing is read where the event itself says that it is not the provider's
 * turn (another event comes when it is), and where the journal has the order already, as after the agent's own approval.
 *
 * One order is read rather than the whole queue, so that its start takes as long with ten thousand open orders as with one.
 */
import { Duration, Effect, Option, Schedule } from "effect"
import { OrderId, ResourceId } from "../../core/index.js"
import { isEndedByOthers, orderStates } from "../../waldur/index.js"
import { Dispatch, type Look } from "../actors/dispatch.js"
import { Journal, sinceAccepted } from "../journal/journal.js"
import type { Offering } from "../offerings/offering.js"
import { stateIn } from "../orders/story.js"
import { orderRetry } from "../schedules.js"

/** Looks into the journal soon, then rarely: an actor that is free accepts within ms, one that is at work when it is done. */
const journalLooks = Schedule.exponential("20 millis", 2).pipe(Schedule.union(Schedule.spaced("1 second")))
/** After so long Waldur is asked again whether there is still something to do: 1 s, doubling, at most 30 s. */
const firstPatience = Duration.seconds(1)
const longestPatience = Duration.seconds(30)

/** As the event says. A state that we do not know is worth a look. */
const isOthersTurn = (state: string | undefined): boolean =>
  orderStates.some((one) => one === state) && state !== "pending-provider" && state !== "executing"

/** `next`: looks for a resource's next order. */
export const orderEvent = (
  offering: Offering,
  { uuid, state }: { readonly uuid: string; readonly state: string | undefined },
  next: Look
): Effect.Effect<void, never, Dispatch | Journal> => {
  const order = OrderId.make(uuid)
  if (isEndedByOthers(state))
    return Effect.flatMap(Dispatch, (dispatch) => dispatch.ended(offering.id, new Set([order])))
  if (isOthersTurn(state)) return Effect.void
  const isRecorded = Effect.flatMap(Journal, (journal) =>
    Effect.map(journal.story(order), (story) => ["open", "done"].includes(stateIn(sinceAccepted(story))))
  )
  const recordedWithin = (patience: Duration.Duration) =>
    isRecorded.pipe(
      Effect.repeat({ until: (is) => is, schedule: journalLooks }),
      Effect.timeoutOption(patience),
      Effect.map(Option.isSome)
    )
  const attempt = (patience: Duration.Duration) =>
    Effect.gen(function* () {
      const isSettled =
        (yield* isRecorded) || !(yield* begin(offering, order, next)) || (yield* recordedWithin(patience))
      return { isSettled, patience: Duration.min(Duration.times(patience, 2), longestPatience) }
    }).pipe(
      Effect.tapError((error) => Effect.logDebug(`Event of order ${order}: ${error.message}`)),
      Effect.retry(orderRetry)
    )
  return Effect.iterate(
    { isSettled: false, patience: firstPatience },
    { while: ({ isSettled }) => !isSettled, body: ({ patience }) => attempt(patience) }
  ).pipe(
    // The schedule has no end.
    Effect.orDie,
    Effect.asVoid,
    Effect.annotateLogs({ offering: offering.name })
  )
}

/** False: it is not this offering's, not the provider's turn, or not to be seen. */
const begin = (offering: Offering, order: OrderId, next: Look) =>
  Effect.gen(function* () {
    const read = yield* offering.waldur.order(order)
    const { offeringUuid, projectUuid, resourceUuid, state } = read
    const isOpen = state === "pending-provider" || state === "executing"
    if (!isOpen || Option.isNone(resourceUuid) || !Option.contains(offeringUuid, offering.id)) return false
    const work = {
      offering: offering.id,
      order,
      resource: ResourceId.make(resourceUuid.value),
      project: Option.getOrElse(projectUuid, () => ""),
      begun: state === "executing"
    }
    yield* offering.early.begin(read, work.resource)
    yield* (yield* Dispatch).send([work], next)
    return true
  }).pipe(
    Effect.catchTag("WaldurNotFound", () => Effect.succeed(false)),
    Effect.withSpan("event", { root: true, captureStackTrace: false, attributes: { order, offering: offering.id } })
  )
