/** An accepted order is carried out: approved, given to the backend's handler, reported. The handler's steps and ours stand in one journal. */
import { Deferred, Effect, Either, Option, Schema } from "effect"
import {
  type Attempt,
  beginningAfter,
  type CarriedOut,
  carryOut,
  decide,
  ensureDone,
  isOfLostJournal,
  type JournalEntry,
  Marketplace,
  markReached,
  type OrderId,
  type OrderJournal,
  OrderRefused,
  type OrderRequest,
  passingFirst,
  type Reservations,
  RivalAtWork,
  type SiteError,
  Steps,
  sideBySide,
  stepState
} from "../../core/index.js"
import { isEndedByOthers } from "../../waldur/index.js"
import { Pauses } from "../journal/pauses.js"
import type { Offering } from "../offerings/offering.js"
import { scopeGrace } from "../schedules.js"
import type { Accepted } from "./accepting/request.js"
import { atStart, awaitStart } from "./accepting/start.js"
import { type Deadline, withDeadline } from "./deadline.js"
import { ifResourceShown } from "./forgotten.js"
import { backendHandler } from "./handler.js"
import { atHome } from "./home.js"
import { marketplaceOf } from "./marketplace.js"
import { makeForetold } from "./report/foretold.js"
import { report } from "./report/report.js"
import { afterOthersApproval, assertAlone, noteApproval, tellsAnother } from "./rivals.js"
import { ahead, approval } from "./story.js"

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
    return yield* carryOut(timed.journal, handle(offering, request, approve, timed.within))
  })

/**
 * Approve, let the backend work, report. The handler's steps and ours stand in one journal. What a create or a change looks up first is looked up while Waldur takes
 * the approval (docs/decisions/0092-looked-up-while-it-is-approved.md).
 *
 * The server's background task after an approval, which must be over before a backend id is set, is waited for while the backend works.
 */
const handle = (offering: Offering, request: OrderRequest, approve: boolean, within: Deadline["within"]) =>
  Effect.gen(function* () {
    const attempt = yield* Steps
    const { direction, journal } = attempt
    const before = yield* journal.entries
    // It has no undo of its own: it is taken back once all others are undone.
    markReached(attempt, ahead)
    const permission = yield* Deferred.make<void>()
    const permitted = Effect.zipRight(
      approve ? approving(offering, attempt, request, before) : Effect.void,
      Deferred.succeed(permission, undefined)
    )
    const isKnown = Option.isSome(stepState(before, atStart).result)
    const foretold = yield* makeForetold(offering, journal, request)
    // Both to their end: a call that is cut off might be carried out after an undo has looked for what it made. Without permission nothing is made.
    const settling = Effect.zipRight(
      permitted,
      Effect.tap(Effect.either(decide(atStart, Schema.Boolean, executing(offering, request.order))), (settled) =>
        foretold.executes(Either.isRight(settled))
      )
    )
    const handler = Effect.mapErrorCause(within(backendHandler(offering, request)), passingFirst)
    const working = Effect.either(
      // What an end finds is what it removes: it looks as late as can be.
      request._tag === "Terminate"
        ? Effect.zipRight(Deferred.await(permission), handler)
        : beginningAfter(permission)(handler)
    ).pipe(Effect.provideService(Marketplace, { ...marketplaceOf(offering), foretell: foretold.foretell }))
    // What is remembered is waited for by nobody.
    const [settled, worked] = isKnown ? [yield* settling, yield* working] : yield* sideBySide(settling, working)
    if (Either.isLeft(worked) && (yield* isDoneAllTheSame(offering, journal, request, worked.left))) return
    if (Either.isLeft(worked) && worked.left.disposition === "fail-order" && direction === "forward")
      yield* assertAlone(offering, journal, before)
    const outcome = yield* worked
    const hasScope = yield* settled
    yield* ifResourceShown(journal, report(offering, request, outcome, hasScope, foretold))
    if (request._tag === "Create" && outcome.backendId !== undefined)
      yield* offering.guardBackendId(request.resource.id, outcome.backendId)
  })

const approving = (
  offering: Offering,
  { direction, journal }: Pick<Attempt, "direction" | "journal">,
  request: OrderRequest,
  before: ReadonlyArray<JournalEntry>
) =>
  Effect.gen(function* () {
    // Of a journal that has lost its last entries the approval may be among them: it is this agent's then, and so is what has been made since.
    const begun = stepState(before, approval).begun || isOfLostJournal(before)
    const taken = Effect.flatMap(approved(offering, request.order, begun), (how) => noteApproval(journal, how, begun))
    yield* ensureDone(approval, taken)
    // Two agents at one change or one end come to the same.
    if (direction === "forward" && request._tag === "Create") yield* afterOthersApproval(offering, journal)
  })

/** The order's time stands still while Waldur takes no approval of its customer's organization. `begun`: it may do so already. */
const approved = (offering: Offering, order: OrderId, begun: boolean) =>
  Effect.gen(function* () {
    const pauses = yield* Pauses
    const how = yield* Effect.tapError(offering.waldur.approveByProvider(order), (error) =>
      error._tag === "WaldurInvalid" && error.disposition === "retry" ? pauses.began(order, error.message) : Effect.void
    )
    if (begun) yield* pauses.ended(order)
    return how
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
