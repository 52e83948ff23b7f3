/**
 * An order that is done by the journal, and open in Waldur: that was put back from a backup, or has lost what it was told.
 *
 * Nothing is done in the cloud: what the order came to is in its journal, and is told once more. A backend id that is there is left as it is. Where the
 * resource has ended since, here or there, the order errs.
 */
import { Effect, Option } from "effect"
import { Marketplace, type OrderJournal, type Reservations, recalled, type SiteError } from "../../../core/index.js"
import type * as api from "../../../waldur/api/index.js"
import { Journal } from "../../journal/journal.js"
import type { Offering } from "../../offerings/offering.js"
import { scopeGrace } from "../../schedules.js"
import { awaitStart } from "../accepting/start.js"
import { assertEnded } from "../beside.js"
import { backendHandler } from "../handler.js"
import { marketplaceOf } from "../marketplace.js"
import { acceptedIn } from "../story.js"
import { isOfLimits, keepLimits, remind } from "./remind.js"
import { isEndedThere } from "./report.js"

/** Does Waldur wait for us? */
export const isOpenInWaldur = ({ state }: Pick<api.Order, "state">): boolean =>
  state === "pending-provider" || state === "executing"

export const retell = (
  offering: Offering,
  journal: OrderJournal,
  order: api.Order
): Effect.Effect<"done" | "erred" | "nothing to do", SiteError, Reservations | Journal> =>
  Effect.gen(function* () {
    const { waldur } = offering
    yield* Effect.logWarning(
      `Was done, and is ${order.state} in Waldur, which seems to have been put back to an earlier state: it is told once more, and nothing is made`
    )
    if (order.state === "pending-provider") yield* waldur.approveByProvider(order.uuid)
    const now = yield* awaitStart(waldur, order.uuid, { scopeGrace })
    if (now.state !== "executing") return "nothing to do"
    const { request } = yield* acceptedIn(yield* journal.entries)
    let keeping: Effect.Effect<void, SiteError> = Effect.void
    if (request !== undefined && request._tag !== "Terminate" && (yield* (yield* Journal).hasEnded(journal.resource)))
      return yield* erred(offering, order, endedHere)
    if (request !== undefined && (yield* isEndedThere(offering, request)))
      return yield* Effect.zipLeft(
        erred(offering, order, endedThere),
        Effect.logWarning(
          "Where Waldur has the resource as ended, what still stands of it is listed by `site-actors orphans`"
        )
      )
    if (request !== undefined && request._tag !== "Terminate") {
      const outcome = yield* recalled(journal, backendHandler(offering, request)).pipe(
        Effect.provideService(Marketplace, marketplaceOf(offering))
      )
      if (Option.isSome(outcome) && isOfLimits(request, outcome.value))
        keeping = keepLimits(offering, request, outcome.value)
      yield* Option.match(outcome, {
        onNone: () =>
          Effect.logWarning(
            "What it came to is not known any more: look at the resource's backend id and limits in Waldur"
          ),
        onSome: (known) => remind(offering, request, known, Option.isSome(now.scopeUuid))
      })
    }
    yield* waldur.setStateDone(order.uuid)
    yield* assertEnded(offering, order.uuid)
    yield* keeping
    return "done" as const
  })

const endedHere =
  "The resource was ended after this order was carried out, and nothing of it is left: if the marketplace still shows it, end it there, then order anew."
/** Older servers make it Erred then, and it can be ended; today's leave it as it is (source: waldur-mastermind, marketplace/views.py, `set_state_erred`). */
const endedThere =
  "The resource has ended in the marketplace since this order was carried out: if it is shown as erred there, end it once more; else ask the provider."

/** Told as done, it would be OK in Waldur, and billed, or Waldur could not say so at all. In the journal it stays done: that is what was done. */
const erred = ({ waldur }: Offering, { uuid }: api.Order, sentence: string) =>
  Effect.gen(function* () {
    yield* waldur.setStateErred(uuid, sentence)
    yield* Effect.logWarning(`Erred in Waldur: ${sentence}`)
    return "erred" as const
  })
