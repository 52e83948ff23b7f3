/**
 * Two agents with a journal each on one offering, as of a machine that was copied with its data directory, a second installation, or a Python agent that
 * was left running. Each takes the orders for its own. What this one sees of the other, and what it does then:
 *
 * - Something has the order's tag, and not a mark of this journal (`core/saga/marks.ts`); or its name has just been taken. The order waits, and nothing is undone.
 * - The order was approved in the same moment, and by the agent's own user. It waits for a while, and then looks whether anything has been made for it.
 * - An order that was begun by an attempt before fails, and something with its tag has been made since that no attempt of this journal made: the journal is
 *   a copy. Nothing is undone; it waits.
 * - Waldur has the order as done, with another backend id: the other's is the resource's, and what this one made is undone.
 *
 * Whoever has said "done" has the order: Waldur takes that once. What waits is on the page, in `/readyz` and in the log, until one of the two is stopped.
 */
import { Clock, Effect, Option } from "effect"
import {
  isMarkOf,
  isOfLostJournal,
  type JournalEntry,
  NotYet,
  type OrderJournal,
  OrderRefused,
  type OrderRequest,
  type Outcome,
  RivalAtWork,
  type SiteError,
  stopOne,
  wholeOrder,
  wholeStory
} from "../../core/index.js"
import type { Moved } from "../../waldur/index.js"
import { Pauses } from "../journal/pauses.js"
import type { Offering } from "../offerings/offering.js"
import { approval, cancelledSince, isBegun, isNoted } from "./story.js"

type Health = Pick<Offering, "health">

/** Its approval was refused, as somebody else had given it. */
const taken = "approved by another"
/** Waldur had it as done before this agent could say so. */
const doneByAnother = "done by another"
/** It waits for another agent. */
export const waits = "waits for another"

/** So long after somebody else's approval it is looked whether another agent has begun, in ms: by then that has made something. */
const takerBegins = 10_000

/** An attempt that may find another agent at work: then it is said, and the order's own time stands still. */
export const besideRivals = <A, E extends SiteError, R>(
  { health }: Health,
  journal: OrderJournal,
  attempt: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SiteError, R | Pauses> =>
  Effect.gen(function* () {
    const pauses = yield* Pauses
    const result = yield* Effect.tapError(attempt, (error) =>
      error instanceof RivalAtWork
        ? Effect.gen(function* () {
            yield* health.rival(journal.order, error.message, true)
            yield* pauses.began(journal.order, error.message)
            if (isNoted(yield* journal.entries, waits)) return
            yield* Effect.logError(error.message)
            yield* journal.append(wholeOrder, waits)
          })
        : Effect.void
    )
    yield* health.noRival(journal.order)
    if (isNoted(yield* journal.entries, waits)) yield* pauses.ended(journal.order)
    return result
  })

/** Has this agent given the approval, which only one can? */
export const isApprovedHere = (entries: ReadonlyArray<JournalEntry>): boolean =>
  entries.some(({ step }) => step === approval) && !isNoted(entries, taken)

/** What is written down of an approval that came too late. `begun`: an earlier attempt may have given it. */
export const noteApproval = (journal: OrderJournal, how: Moved, begun: boolean): Effect.Effect<void, SiteError> =>
  how === "was there" && !begun ? journal.append(wholeOrder, taken) : Effect.void

/** By another user than the agent's own: as far as the server says so. */
const isApprovedByPerson = (
  { waldur }: Pick<Offering, "waldur">,
  { order }: Pick<OrderJournal, "order">
): Effect.Effect<boolean, SiteError> =>
  Effect.zipWith(
    waldur.order(order),
    waldur.me,
    ({ approvedBy }, me) =>
      me.username !== "" && Option.exists(approvedBy, (name) => name !== me.username && !name.includes(me.uuid))
  )

/**
 * Before anything is made for an order that was approved in the moment in which this agent would have done so. A person has a user of their own; a second
 * agent has the same as this one, as a rule: that has made something by now, or soon.
 */
export const afterOthersApproval = (
  { backend, waldur }: Pick<Offering, "backend" | "waldur">,
  journal: OrderJournal
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const entries = yield* journal.entries
    const approved = entries.find((entry) => entry.step === wholeOrder && entry.event === taken)
    if (approved === undefined || isBegun(entries)) return
    if (yield* isApprovedByPerson({ waldur }, journal)) return
    const left = approved.at + takerBegins - (yield* Clock.currentTimeMillis)
    if (left > 0) {
      return yield* new NotYet({
        reason: `Somebody else approved the order in the same moment: in ${Math.ceil(left / 1000)} s it is looked whether another agent has begun it.`
      })
    }
    const others = yield* madeByAnother(backend, journal)
    if (Option.isSome(others)) return yield* new RivalAtWork({ what: others.value })
  })

/** Something with the order's tag and a mark that no attempt of this journal had: "group 105 (acme)". */
const madeByAnother = (
  backend: Offering["backend"],
  journal: OrderJournal
): Effect.Effect<Option.Option<string>, SiteError> =>
  Effect.gen(function* () {
    const entries = yield* wholeStory(journal)
    const owned = yield* backend.upkeep?.owned ?? Effect.succeed([])
    return Option.map(
      Option.fromNullable(
        owned.find(({ mark, order }) => order === journal.order && mark !== undefined && !isMarkOf(entries, mark))
      ),
      ({ id, kind, name }) => `${kind} ${id} (${name})`
    )
  })

/** Of an order that was begun before this agent heard of it: has this one begun something as well, beside another agent that is known by its mark? */
export const isBesideAnother = (
  backend: Offering["backend"],
  journal: OrderJournal
): Effect.Effect<boolean, SiteError> =>
  Effect.gen(function* () {
    const entries = yield* journal.entries
    if (isOfLostJournal(entries) || !isBegun(entries)) return false
    return Option.isSome(yield* madeByAnother(backend, journal))
  })

/**
 * Before an order is given up of which an attempt before this one has made something: where its journal is a copy, another agent goes on with just that. What
 * it has made since shows it, and nothing is undone. An operator who cancels the order knows what runs.
 */
export const assertAlone = (
  { backend }: Pick<Offering, "backend">,
  journal: OrderJournal,
  before: ReadonlyArray<JournalEntry>
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    if (!isBegun(before) || isOfLostJournal(before) || (yield* cancelledSince("accepted", journal))) return
    const others = yield* madeByAnother(backend, journal)
    if (Option.isSome(others)) return yield* new RivalAtWork({ what: others.value })
  })

const carriedOut = (backendId: string): OrderRefused =>
  new OrderRefused({
    customerMessage: "The order was carried out by another agent of the provider.",
    detail: `Waldur has ${backendId} as the backend id: what this agent had made for the order is undone. ${stopOne}`
  })

/** The order is lost to another agent: said, and told for a while. */
const lost = (
  { health }: Health,
  { order }: Pick<OrderRequest, "order">,
  backendId: string
): Effect.Effect<never, OrderRefused> =>
  Effect.suspend(() => {
    const refusal = carriedOut(backendId)
    return Effect.zipRight(
      Effect.zipRight(health.rival(order, refusal.message, false), Effect.logError(refusal.message)),
      refusal
    )
  })

/** A backend id in Waldur that neither stood there when the order was accepted nor is what this agent's has come to. */
const anothersId = (
  shown: Option.Option<string>,
  { resource }: OrderRequest,
  isOurs: (backendId: string) => boolean
): Option.Option<string> =>
  Option.filter(
    shown,
    (backendId) =>
      backendId.trim() !== "" && backendId.trim() !== resource.backendId.trim() && !isOurs(backendId.trim())
  )

/** Is it what one of its steps has made? */
const isMadeHere =
  (entries: ReadonlyArray<JournalEntry>) =>
  (backendId: string): boolean =>
    entries.some(
      ({ data, event }) =>
        (event === "finished" || event === "adopted") &&
        (typeof data === "number" || typeof data === "string") &&
        String(data) === backendId
    )

/** Of a create that Waldur has as done, and that this agent is not through with: the id that somebody else has told, if it is not what was made here. */
export const tellsAnother = (
  { waldur }: Pick<Offering, "waldur">,
  journal: OrderJournal,
  request: OrderRequest
): Effect.Effect<Option.Option<string>, SiteError> =>
  request._tag !== "Create"
    ? Effect.succeedNone
    : Effect.zipWith(waldur.resource(request.resource.id), journal.entries, (found, entries) =>
        anothersId(found.backendId, request, isMadeHere(entries))
      )

/** The refusal of such an order. */
export const lostTo = (offering: Health, request: OrderRequest, backendId: string) =>
  Effect.flip(lost(offering, request, backendId))

/** Before Waldur is told that a create is done: has somebody else told what it came to, since this agent did? `shown`: what it has as the backend id. */
export const assertUntold = (
  offering: Pick<Offering, "health" | "waldur">,
  request: OrderRequest,
  { backendId }: Outcome,
  shown: Option.Option<string>
): Effect.Effect<void, SiteError> =>
  Option.match(
    anothersId(shown, request, (other) => other === backendId),
    {
      onNone: () => Effect.void,
      onSome: (other) =>
        // Not done: both tell it, and Waldur takes one "done".
        Effect.flatMap(offering.waldur.order(request.order), ({ state }) =>
          state === "done" ? lost(offering, request, other) : Effect.void
        )
    }
  )

/** Could somebody else have said "done" before this agent did? `begun`: an earlier attempt may have said so. */
export const isDoneByAnother = (journal: OrderJournal, how: Moved, begun: boolean): Effect.Effect<boolean, SiteError> =>
  Effect.gen(function* () {
    if (isNoted(yield* journal.entries, doneByAnother)) return true
    if (how !== "was there" || begun) return false
    yield* journal.append(wholeOrder, doneByAnother)
    return true
  })

/**
 * After somebody else has said "done" of a create: theirs is the resource's. Where this agent has told its own in the same moment, Waldur is told the
 * other's again.
 */
export const yieldTo = (
  offering: Pick<Offering, "backend" | "health" | "waldur">,
  request: OrderRequest,
  own: Outcome
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    if (request._tag !== "Create" || own.backendId === undefined) return
    const { backend, waldur } = offering
    const shown = yield* waldur.resource(request.resource.id)
    const told = anothersId(shown.backendId, request, (other) => other === own.backendId)
    if (Option.isSome(told)) return yield* lost(offering, request, told.value)
    const another = yield* backend.another?.(request, own) ?? Effect.succeedNone
    if (Option.isNone(another)) return
    const { backendId = "", metadata } = another.value
    yield* waldur.setBackendId(request.resource.id, backendId)
    if (metadata !== undefined) yield* waldur.setBackendMetadata(request.resource.id, metadata)
    return yield* lost(offering, request, backendId)
  })
