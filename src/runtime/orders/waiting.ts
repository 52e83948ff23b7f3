/**
 * Orders that were parked when the process before ended, or that would park at once: a restart leaves them parked, without their handlers, which would go
 * through all that is remembered to come to the same wait (docs/decisions/0089-what-waits-is-left-waiting.md). When one is woken, its handler is run.
 */
import { Clock, Duration, Effect, Option, Schema } from "effect"
import {
  type Backend,
  isRestored,
  notedIn,
  type OrderJournal,
  type Parked,
  parkedWithin,
  refusalIn,
  wholeOrder
} from "../../core/index.js"
import { Metrics } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import type { Accepted } from "./accepting/request.js"
import { atStart } from "./accepting/start.js"
import { limitFor } from "./deadline.js"
import { type Here, isAtHome } from "./home.js"
import { cancelledSince, heldBack } from "./story.js"

interface WaitingAt extends Here, Pick<Offering, "id" | "deadlines"> {
  readonly backend: Here["backend"] & Pick<Backend<unknown>, "waitsFor">
}

/** What the order waits for. None: there is something to do for it, or to see. */
export const stillWaits = (
  offering: WaitingAt,
  journal: OrderJournal,
  accepted: Accepted
): Effect.Effect<Option.Option<Parked>> =>
  Effect.gen(function* () {
    const { waitsFor } = offering.backend
    const { request } = accepted
    if (waitsFor === undefined || request?._tag !== "Create") return Option.none()
    const entries = yield* journal.entries
    if (isRestored(entries) || heldBack(entries) || Option.isSome(refusalIn(entries))) return Option.none()
    if (!isAtHome(offering, accepted) || (yield* cancelledSince("accepted", journal))) return Option.none()
    const noted = notedIn(entries)
    if (Option.isNone(noted.result(atStart, Schema.Boolean))) return Option.none()
    const parked = yield* waitsFor(noted)
    const now = yield* Clock.currentTimeMillis
    const since = entries.find((entry) => entry.step === wholeOrder && entry.event === "accepted")?.at ?? now
    // As the handler would: taken up again at the order's deadline at the latest. What was paused makes it more, and is asked for then.
    const left = Option.match(limitFor(offering, request), {
      onNone: () => Number.POSITIVE_INFINITY,
      onSome: (limit) => Duration.toMillis(limit) - (now - since)
    })
    if (Option.isNone(parked) || left <= 0) return Option.none()
    const metrics = yield* Metrics
    metrics.orderIs(journal.order, { offering: offering.id, type: request._tag, state: "executing" })
    return Option.some(parkedWithin(parked.value, left))
  })
