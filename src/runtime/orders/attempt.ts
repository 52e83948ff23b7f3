/**
 * One attempt at an order.
 *
 * Level-based: each attempt reads the order as it is now and the journal as it stands, and does what is left to do. Whether this is the
 * first look at the order, the hundredth retry or the first after a power cut makes no difference.
 */
import { Effect, Option } from "effect"
import {
  isRestored,
  type OrderId,
  type OrderJournal,
  OrderRefused,
  type Reservations,
  refusalIn,
  refuse,
  type SiteError,
  sideBySide,
  spanned,
  wholeOrder
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { isEndedByOthers } from "../../waldur/index.js"
import type { Activities } from "../activity.js"
import { Journal } from "../journal/journal.js"
import type { Lease } from "../journal/lease.js"
import type { Pauses } from "../journal/pauses.js"
import { Metrics } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import { accept } from "./accepting/accept.js"
import type { Accepted } from "./accepting/request.js"
import { startedOr } from "./accepting/start.js"
import { yieldsToNext } from "./beside.js"
import { carryOutAccepted } from "./carryOut.js"
import { isBeingTold } from "./deadline.js"
import { end, giveUp, noteUndone } from "./ending.js"
import { ifResourceShown, ifThere, shown } from "./forgotten.js"
import { isOpenInWaldur, retell } from "./report/retell.js"
import { besideRivals, isBesideAnother, lostTo, tellsAnother } from "./rivals.js"
import { acceptedIn, heldBack, stateIn, wasApproved } from "./story.js"
import { tell } from "./telling.js"
import { stillWaits } from "./waiting.js"

/** How processing an order ended, for now. */
export type Ended =
  | "done"
  | "erred"
  /** Somebody else ended it, or it is not the provider's turn. */
  | "nothing to do"

/** One attempt at the order, from whatever it has come to, to its end or to the first thing that has to pass before it can go on. */
export const attempt = (
  offering: Offering,
  id: OrderId,
  lease: Lease
): Effect.Effect<Ended, SiteError, Journal | Activities | Reservations | Pauses> =>
  Effect.gen(function* () {
    const journal = yield* (yield* Journal).order(id, lease)
    const state = stateIn(yield* journal.entries)
    const read = offering.waldur.resource(lease.resource)
    if (state === "open" && (yield* offering.early.executes(id))) {
      const accepted = yield* acceptedIn(yield* journal.entries)
      const waits = yield* stillWaits(offering, journal, accepted)
      if (Option.isSome(waits)) return yield* waits.value
      return yield* goOn(offering, journal, accepted, offering.waldur.order(id))
    }
    const early = state === "new" ? yield* offering.early.take(id) : Option.none()
    // The resource is only needed if the order is to be accepted. Together the two looks cost one wait.
    const [seen, resource] = Option.isSome(early)
      ? [Option.some(early.value.order), early.value.resource]
      : state === "open"
        ? [yield* shown(offering, journal), read]
        : yield* sideBySide(ifThere(offering, id), Effect.exit(read))
    if (Option.isNone(seen)) return state === "open" ? yield* endUnseen(offering, journal) : ("nothing to do" as const)
    const order = state === "new" ? yield* startedOr(offering.waldur, seen.value) : seen.value
    // One that is done is told again where it was forgotten; an erred one that is open again was taken up again.
    if (state === "done" || state === "erred") {
      if (!isOpenInWaldur(order)) return "nothing to do" as const
      if (state === "done") return yield* retell(offering, journal, order)
      if (yield* yieldsToNext(offering, order)) return "erred" as const
    }
    // Carried out after the backup was taken from which this journal comes: to do it again could undo what came after it. Or by another agent, beside which
    // this one has made something too.
    if (state === "open" && order.state === "done" && isRestored(yield* journal.entries)) {
      if (!(yield* isBesideAnother(offering.backend, journal))) return yield* end(offering, journal, "done")
    }
    const accepted =
      state === "open" ? yield* acceptedIn(yield* journal.entries) : yield* accept(offering, order, resource, journal)
    if (accepted === undefined) return "nothing to do" as const
    // Its approval is remembered here, and forgotten there.
    if (state === "open" && order.state === "pending-provider" && wasApproved(yield* journal.entries, accepted))
      yield* offering.waldur.approveByProvider(id)
    if (state === "open" && order.state === "done") yield* leaveToAnother(offering, journal, accepted)
    if (isEndedByOthers(order.state) && Option.isNone(refusalIn(yield* journal.entries))) {
      yield* refuse(journal, new OrderRefused({ customerMessage: `The order was ${order.state} by somebody else.` }))
    }
    return yield* goOn(offering, journal, accepted, Effect.succeed(order))
  }).pipe(spanned("attempt"))

/** Done in Waldur, and not here: if somebody else has told what the resource is, what was made here is undone. */
const leaveToAnother = (offering: Offering, journal: OrderJournal, { request }: Accepted) =>
  Effect.gen(function* () {
    const entries = yield* journal.entries
    if (request === undefined || isBeingTold(entries) || Option.isSome(refusalIn(entries))) return
    const another = yield* ifResourceShown(journal, tellsAnother(offering, journal, request))
    if (Option.isSome(another)) yield* refuse(journal, yield* lostTo(offering, request, another.value))
  })

/** Waldur does not show it, so nobody is told: what it did is undone. */
const endUnseen = (offering: Offering, journal: OrderJournal) =>
  Effect.gen(function* () {
    if (Option.isNone(refusalIn(yield* journal.entries)))
      yield* refuse(journal, new OrderRefused({ customerMessage: "The order is not in Waldur any more." }))
    const result = yield* carryOutAccepted(offering, journal, yield* acceptedIn(yield* journal.entries))
    if (result._tag === "Refused") yield* noteUndone(offering, journal, result)
    return yield* end(offering, journal, "erred")
  })

/** From what is accepted to the end. `read`: the order as it is in Waldur, for telling what came of it. */
const goOn = (
  offering: Offering,
  journal: OrderJournal,
  accepted: Accepted,
  read: Effect.Effect<api.Order, SiteError>
) =>
  Effect.gen(function* () {
    const metrics = yield* Metrics
    const atWork = { offering: offering.id, type: accepted.request?._tag ?? (yield* read).type }
    metrics.orderIs(journal.order, { ...atWork, state: "executing" })
    if (Option.isSome(refusalIn(yield* journal.entries))) {
      metrics.orderIs(journal.order, { ...atWork, state: "undoing" })
      yield* tell(offering, journal, "undoing")
    }
    if (heldBack(yield* journal.entries)) yield* journal.append(wholeOrder, "resumed")
    const result = yield* besideRivals(offering, journal, carryOutAccepted(offering, journal, accepted))
    return result._tag === "Done"
      ? yield* end(offering, journal, "done")
      : yield* giveUp(offering, yield* read, journal, result)
  })
