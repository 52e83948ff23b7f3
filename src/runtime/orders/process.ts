/**
 * One order, from the marketplace's queue to `done` or `erred`.
 *
 * Level-based: each attempt reads the order as it is now and the journal as it stands, and does what is left to do. Whether this is the
 * first look at the order, the hundredth retry or the first after a power cut makes no difference.
 */
import {
  Cause,
  Clock,
  Duration,
  Effect,
  Either,
  Exit,
  Option,
  Schedule,
  ScheduleDecision,
  ScheduleIntervals,
  Schema
} from "effect"
import {
  aside,
  type CarriedOut,
  carryOut,
  decide,
  ensureDone,
  isRestored,
  type JournalEntry,
  JournalUnavailable,
  LeaseLost,
  type Leftover,
  Marketplace,
  type OrderId,
  type OrderJournal,
  OrderRefused,
  type OrderRequest,
  Parked,
  passingFirst,
  type Reservations,
  RivalAtWork,
  refusalIn,
  refuse,
  type SiteError,
  Steps,
  saying,
  sideBySide,
  spanned,
  stepState,
  wholeOrder
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { isEndedByOthers } from "../../waldur/index.js"
import type { Activities } from "../activity.js"
import { Wakes } from "../control/wakes.js"
import { JournalHealth } from "../journal/health.js"
import { Journal } from "../journal/journal.js"
import type { Lease } from "../journal/lease.js"
import type { Pauses } from "../journal/pauses.js"
import { visible } from "../logging.js"
import { Metrics } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import { orderRetry, scopeGrace } from "../schedules.js"
import { accept } from "./accept.js"
import { type Deadline, isBeingTold, withDeadline } from "./deadline.js"
import { ifResourceShown, ifThere, shown } from "./forgotten.js"
import { backendHandler } from "./handler.js"
import { atHome } from "./home.js"
import { marketplaceOf } from "./marketplace.js"
import { report } from "./report.js"
import type { Accepted } from "./request.js"
import { isOpenInWaldur, retell } from "./retell.js"
import {
  afterOthersApproval,
  approval,
  assertAlone,
  besideRivals,
  isBesideAnother,
  lostTo,
  noteApproval,
  tellsAnother
} from "./rivals.js"
import { atStart, awaitStart, startedOr } from "./start.js"
import { acceptedIn, heldBack, stateIn } from "./story.js"
import { tell } from "./telling.js"
import { stillWaits } from "./waiting.js"

/** How processing an order ended, for now. */
export type Ended =
  | "done"
  | "erred"
  /** Somebody else ended it, or it is not the provider's turn. */
  | "nothing to do"

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

/** Was it approved here? Then it executed. */
const wasApproved = (entries: ReadonlyArray<JournalEntry>, { approve }: Accepted): boolean =>
  !approve || Option.isSome(stepState(entries, approval).result)

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
    if (result._tag === "Refused") yield* noteUndone(journal, result)
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

/** Forward within the order's deadline, or, once it is refused, back. */
export const carryOutAccepted = (
  offering: Offering,
  journal: OrderJournal,
  accepted: Accepted
): Effect.Effect<CarriedOut<void>, SiteError, Reservations | Pauses> =>
  Effect.gen(function* () {
    const { request, approve } = accepted
    if (request === undefined) return yield* carryOut(journal, Effect.void)
    const leftBehind = yield* atHome(offering, journal, accepted)
    if (Option.isSome(leftBehind)) return leftBehind.value
    const timed = yield* withDeadline(offering, journal, request)
    return yield* carryOut(timed.journal, handle(offering, request, approve, timed.within)).pipe(
      Effect.provideService(Marketplace, marketplaceOf(offering))
    )
  })

/**
 * Approve, let the backend work, report. The handler's steps and ours stand in one journal.
 *
 * The server's background task after an approval, which must be over before a backend id is set, is waited for while the backend works.
 */
const handle = (offering: Offering, request: OrderRequest, approve: boolean, within: Deadline["within"]) =>
  Effect.gen(function* () {
    const { direction, journal } = yield* Steps
    const before = yield* journal.entries
    if (approve) {
      const { begun } = stepState(before, approval)
      const approving = Effect.flatMap(offering.waldur.approveByProvider(request.order), (how) =>
        noteApproval(journal, how, begun)
      )
      yield* ensureDone(approval, approving)
      if (direction === "forward") yield* afterOthersApproval(offering, journal)
    }
    const isKnown = Option.isSome(stepState(yield* journal.entries, atStart).result)
    // Both to their end: a call that is cut off might be carried out after an undo has looked for what it made.
    const settling = Effect.either(decide(atStart, Schema.Boolean, executing(offering, request.order)))
    const working = Effect.either(Effect.mapErrorCause(within(backendHandler(offering, request)), passingFirst))
    // What is remembered is waited for by nobody.
    const [settled, worked] = isKnown ? [yield* settling, yield* working] : yield* sideBySide(settling, working)
    if (Either.isLeft(worked) && (yield* isDoneAllTheSame(offering, journal, request, worked.left))) return
    if (Either.isLeft(worked) && worked.left.disposition === "fail-order" && direction === "forward")
      yield* assertAlone(offering, journal, before)
    const outcome = yield* worked
    const hasScope = yield* settled
    yield* ifResourceShown(journal, report(offering, request, outcome, hasScope))
    if (request._tag === "Create" && outcome.backendId !== undefined)
      yield* offering.guardBackendId(request.resource.id, outcome.backendId)
  })

/**
 * Has the order failed here, and is done in Waldur? Somebody else has carried it out then, such as a second agent that was given the same offering by
 * mistake. What it told Waldur of is what the customer has; unless that is known to be another than what was made here, nothing is undone.
 */
const isDoneAllTheSame = (
  offering: Offering,
  journal: OrderJournal,
  request: OrderRequest,
  error: SiteError
): Effect.Effect<boolean, SiteError> =>
  Effect.gen(function* () {
    // What waits for another agent does so until that has said "done".
    if (error.disposition !== "fail-order" && !(error instanceof RivalAtWork)) return false
    const { state } = yield* offering.waldur.order(request.order)
    if (state !== "done" || Option.isSome(yield* tellsAnother(offering, journal, request))) return false
    yield* Effect.logError(
      `Failed, but Waldur has the order as done: somebody else has carried it out, such as another agent for this offering. Nothing of it is undone. ${error.message}`
    )
    return true
  })

/** Waits until the order executes; says whether the server keeps something of its own behind the resource. */
const executing = (offering: Offering, order: OrderId) =>
  Effect.gen(function* () {
    const now = yield* awaitStart(offering.waldur, order, { scopeGrace })
    if (isEndedByOthers(now.state)) {
      return yield* new OrderRefused({ customerMessage: `The order was ${now.state} before it was begun.` })
    }
    return Option.isSome(now.scopeUuid)
  })

interface GivenUp {
  readonly refusal: OrderRefused
  readonly leftovers: ReadonlyArray<Pick<Leftover, "step" | "reason">>
}

/** After the undo: what is left goes on the list. */
const noteUndone = (journal: OrderJournal, { leftovers, refusal }: GivenUp) =>
  Effect.gen(function* () {
    yield* (yield* Journal).recordLeftovers(
      leftovers.map((leftover) => ({ ...leftover, order: journal.order, resource: journal.resource }))
    )
    yield* Effect.logWarning(`Refused: ${refusal.message}`)
    if (leftovers.length > 0)
      yield* Effect.logError(`Could not be undone: ${leftovers.map((left) => left.step).join(", ")}`)
  })

/** After the undo Waldur is told, if the order still runs there. */
const giveUp = (offering: Offering, order: api.Order, journal: OrderJournal, result: GivenUp) =>
  Effect.gen(function* () {
    const { waldur } = offering
    const { refusal } = result
    yield* noteUndone(journal, result)
    // Nor is one rejected: of every type but Create, Waldur would take the resource for OK, and bill it, restored or not.
    if (!isEndedByOthers(order.state)) {
      // Only an executing order may be set to erred: on any other, Waldur would mark the resource.
      yield* waldur.approveByProvider(order.uuid).pipe(Effect.when(() => order.state === "pending-provider"))
      const now = yield* awaitStart(waldur, order.uuid)
      const details = offering.exposesErrorDetails ? visible(refusal.detail ?? "") : ""
      if (now.state === "executing") yield* waldur.setStateErred(order.uuid, refusal.customerMessage, details)
    }
    return yield* end(offering, journal, "erred", refusal.customerMessage)
  })

const end = (offering: Offering, journal: OrderJournal, how: "done" | "erred", detail?: string) =>
  Effect.gen(function* () {
    yield* journal.append(wholeOrder, how)
    const [accepted] = yield* journal.entries
    const metrics = yield* Metrics
    const now = yield* Clock.currentTimeMillis
    metrics.orderEnded(journal.order, how, now - (accepted?.at ?? now))
    yield* Effect.logInfo(how === "done" ? "Done" : "Erred")
    yield* tell(offering, journal, how, detail)
    return how
  })
