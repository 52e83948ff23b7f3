/**
 * An order that is done by the journal, and open in Waldur: that was put back from a backup, or has lost what it was told.
 *
 * Nothing is done in the cloud: what the order came to is in its journal, and is told once more. A backend id that is there is left as it is.
 */
import { Effect, Option } from "effect"
import { Marketplace, type OrderJournal, type Reservations, recalled, type SiteError } from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import type { Offering } from "../offerings/offering.js"
import { scopeGrace } from "../schedules.js"
import { backendHandler } from "./handler.js"
import { marketplaceOf } from "./marketplace.js"
import { isOfLimits, keepLimits, remind } from "./remind.js"
import { awaitStart } from "./start.js"
import { acceptedIn } from "./story.js"

/** Does Waldur wait for us? */
export const isOpenInWaldur = ({ state }: Pick<api.Order, "state">): boolean =>
  state === "pending-provider" || state === "executing"

export const retell = (
  offering: Offering,
  journal: OrderJournal,
  order: api.Order
): Effect.Effect<"done" | "nothing to do", SiteError, Reservations> =>
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
    yield* keeping
    return "done"
  })
