/**
 * An order in work that Waldur does not show. It may have been put back to a time before the order; or the agent's user has lost its role. Nobody can
 * tell the one from the other by the answer, so the order waits, and says what to do; an operator may cancel it.
 */
import { Effect, Option } from "effect"
import {
  type JournalEntry,
  NotYet,
  type OrderId,
  type OrderJournal,
  OrderRefused,
  refusalIn,
  type SiteError,
  wholeOrder
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { isMissing } from "../../waldur/index.js"
import type { Offering } from "../offerings/offering.js"
import { acceptedIn, cancelledByProvider, cancelledSince, isBegun, isNoted, wasApproved } from "./story.js"

const event = "forgotten"

/** Has Waldur not shown it, or its resource, when last looked for? Then there is nobody to be told that it is done. */
export const isForgotten = (entries: ReadonlyArray<JournalEntry>): boolean => isNoted(entries, event)

/** Written down once, so that it can be cancelled also when its work is done; it waits. `whatToDo`: a sentence on what is missing, and what to do. */
const waits = (journal: OrderJournal, whatToDo: string): Effect.Effect<never, SiteError> =>
  Effect.gen(function* () {
    if (!isForgotten(yield* journal.entries)) yield* journal.append(wholeOrder, event)
    return yield* new NotYet({ reason: whatToDo })
  })

/**
 * The order as Waldur shows it, if it does. Of one that nothing is done for that is all there is to know: it was deleted while it waited here, or is
 * found again by a look at the queue.
 */
export const ifThere = (
  { waldur }: Pick<Offering, "waldur">,
  order: OrderId
): Effect.Effect<Option.Option<api.Order>, SiteError> =>
  Effect.asSome(waldur.order(order)).pipe(Effect.catchIf(isMissing, () => Effect.succeedNone))

/** The order as Waldur shows it; none: it does not, and what the order did is to be undone. */
export const shown = (
  offering: Pick<Offering, "waldur">,
  journal: OrderJournal
): Effect.Effect<Option.Option<api.Order>, SiteError> =>
  Effect.gen(function* () {
    const found = yield* ifThere(offering, journal.order)
    if (Option.isSome(found)) return found
    const entries = yield* journal.entries
    // Its customer has deleted it before it was approved: nothing was done for it. Shown again, as after a role was lost, it is taken up anew.
    const isUntouched = !isBegun(entries) && !wasApproved(entries, yield* acceptedIn(entries))
    const isOver = Option.isSome(refusalIn(entries))
    if (isUntouched || isOver || (yield* cancelledSince("accepted", journal))) return found
    return yield* waits(
      journal,
      "Waldur does not have this order (any more), or does not show it to the agent's user. If Waldur was put back from a backup, or its project was deleted, cancel the order on the page: what it has made is undone, and what a termination has left shows in `site-actors orphans`. Else give the user its role back, and the order goes on."
    )
  })

const isResource = /marketplace-(provider-)?resources\//

/** What is told of the order's resource, which Waldur may not show (any more), though it shows the order. That is no proof either. */
export const ifResourceShown = <A, E extends SiteError, R>(
  journal: OrderJournal,
  telling: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SiteError, R> =>
  Effect.catchAll(telling, (error) =>
    Effect.gen(function* () {
      if (!isMissing(error) || !isResource.test(error.call)) return yield* Effect.fail(error)
      if (yield* cancelledSince("accepted", journal))
        return yield* new OrderRefused({
          customerMessage: cancelledByProvider,
          detail: error.message
        })
      return yield* waits(
        journal,
        "Waldur does not have the resource of this order (any more), or does not show it to the agent's user. If it was deleted there, cancel the order on the page: what it has made is undone, and what a termination has removed stays removed. Else give the user its role back, and the order goes on."
      )
    })
  )

/** The resource of an order that is not taken on yet: without it nothing was done, and nobody knows what is to be. */
export const resourceToBegin = <A>(read: Effect.Effect<A, SiteError>): Effect.Effect<A, SiteError> =>
  Effect.catchIf(
    read,
    isMissing,
    () =>
      new NotYet({
        reason:
          "Waldur has this order, and does not have its resource (any more), or does not show it to the agent's user. If the resource was deleted there, have the order removed in Waldur by its staff: nothing was done for it here. Else give the user its role back, and the order is taken on."
      })
  )
