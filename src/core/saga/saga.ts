/**
 * The saga: one order carried out, or undone completely.
 *
 * `carryOut` runs a handler's steps against the order's journal. It ends in one of two ways, both written down: `Done`, or `Refused`
 * with everything that the order did undone in reverse. Any other error leaves the order as it is, for the next attempt.
 */
import { Deferred, Effect, Exit, MutableRef, Option, Schema } from "effect"
import { OrderRefused, type SiteError } from "../errors.js"
import { type Attempt, newAttempt, Steps } from "./attempt.js"
import { forGood, passingFirst } from "./failures.js"
import { type JournalEntry, type JournalError, type OrderJournal, wholeOrder } from "./journal.js"
import { drawMark } from "./marks.js"
import { stepState } from "./state.js"

/** What an undo could not remove. */
export interface UndoFailure {
  readonly step: string
  readonly reason: string
}

export type CarriedOut<A> =
  | { readonly _tag: "Done"; readonly value: A }
  | {
      readonly _tag: "Refused"
      readonly refusal: OrderRefused
      readonly leftovers: ReadonlyArray<UndoFailure>
    }

const Refusal = Schema.Struct({ customerMessage: Schema.String, detail: Schema.optional(Schema.String) })

/** How long a run that only learns what to undo may take, in ms: it makes no calls, so it is either quick or stuck. */
const replayLimit = 30_000

/**
 * Carries the order out as far as possible.
 *
 * Fails with errors of disposition `retry` and `stop-offering` only: run it again later, it goes on where it was. Dies of a bug in
 * the handler; the journal then stands as it was.
 */
export const carryOut = <A, E extends SiteError, R>(
  journal: OrderJournal,
  handler: Effect.Effect<A, E, R | Steps>
): Effect.Effect<CarriedOut<A>, E | SiteError, Exclude<R, Steps>> =>
  Effect.gen(function* () {
    const entries = yield* journal.entries
    const earlier = refusalIn(entries)
    if (Option.isSome(earlier)) return yield* undoneAfresh(journal, handler, earlier.value)
    const attempt = newAttempt(journal, "forward", entries, yield* drawMark)
    const exit = yield* Effect.exit(Effect.provideService(handler, Steps, attempt))
    if (Exit.isSuccess(exit)) return { _tag: "Done", value: exit.value } as const
    const failure = forGood(exit.cause)
    if (Option.isNone(failure)) return yield* Effect.failCause(passingFirst(exit.cause))
    const refusal = refusalOf(failure.value)
    yield* refuse(journal, refusal)
    // A deadline or an operator may have ended it before it came again to all that earlier attempts had done.
    return yield* attempt.unreached.size === 0 ? undone(attempt, refusal) : undoneAfresh(journal, handler, refusal)
  })

/** What a done order came to, by what its steps remember: nothing is called. None: the journal does not have all of them. */
export const recalled = <A, E extends SiteError, R>(
  journal: OrderJournal,
  handler: Effect.Effect<A, E, R | Steps>
): Effect.Effect<Option.Option<A>, never, Exclude<R, Steps>> =>
  Effect.gen(function* () {
    const attempt = newAttempt(journal, "recalling", yield* journal.entries, "")
    const exit = yield* Effect.exit(Effect.provideService(handler, Steps, attempt))
    return Exit.isSuccess(exit) ? Option.some(exit.value) : Option.none()
  })

/** Learns of every step how it is undone, and undoes. */
const undoneAfresh = <A, E extends SiteError, R>(
  journal: OrderJournal,
  handler: Effect.Effect<A, E, R | Steps>,
  refusal: OrderRefused
) =>
  Effect.gen(function* () {
    const attempt = newAttempt(journal, "undoing", yield* journal.entries, "")
    yield* learnUndo(attempt, Effect.provideService(handler, Steps, attempt))
    return yield* undone(attempt, refusal)
  })

/** Writes down that this order has failed for good: from now on it can only be undone. */
export const refuse = (journal: OrderJournal, refusal: OrderRefused): Effect.Effect<void, JournalError> =>
  journal.append(wholeOrder, "failed", {
    customerMessage: refusal.customerMessage,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail })
  })

/** The refusal that an earlier attempt wrote down, if there is one. */
export const refusalIn = (entries: ReadonlyArray<JournalEntry>): Option.Option<OrderRefused> =>
  Option.fromNullable(entries.findLast((entry) => entry.step === wholeOrder && entry.event === "failed")).pipe(
    Option.flatMap((entry) => Schema.decodeUnknownOption(Refusal)(entry.data)),
    Option.map(
      ({ customerMessage, detail }) =>
        new OrderRefused({ customerMessage, ...(detail === undefined ? {} : { detail }) })
    )
  )

const refusalOf = (error: SiteError): OrderRefused =>
  error instanceof OrderRefused
    ? error
    : new OrderRefused({
        customerMessage: error.customerMessage ?? "The order could not be carried out by the cloud.",
        detail: error.message
      })

/**
 * Runs the handler only so far that every step in the journal has said how it is undone. Fails if the handler does, before that, for a reason
 * that may pass: what it has not come to yet is to be undone all the same, by a later attempt.
 */
const learnUndo = <A, E extends SiteError, R>(
  attempt: Attempt,
  handler: Effect.Effect<A, E, R>
): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    if (attempt.unreached.size === 0) return
    yield* Effect.exit(handler).pipe(
      Effect.flatMap((exit) =>
        Exit.isFailure(exit) && Option.isNone(forGood(exit.cause))
          ? Effect.failCause(passingFirst(exit.cause))
          : Effect.void
      ),
      Effect.raceFirst(Deferred.await(attempt.reachedAll)),
      Effect.timeoutOption(replayLimit)
    )
  })

const undone = (attempt: Attempt, refusal: OrderRefused): Effect.Effect<CarriedOut<never>, SiteError> =>
  Effect.gen(function* () {
    const performed = MutableRef.get(attempt.performed)
    const leftovers: Array<UndoFailure> = []
    for (const { step, undo } of performed.toReversed()) {
      if (stepState(yield* attempt.journal.entries, step).undone) continue
      yield* attempt.journal.append(step, "undoing")
      const failed = yield* undo.pipe(
        Effect.as(Option.none<string>()),
        Effect.catchAll((error) =>
          error.disposition === "fail-order" ? Effect.succeedSome(error.message) : Effect.fail(error)
        )
      )
      yield* Option.match(failed, {
        onNone: () => attempt.journal.append(step, "undone"),
        onSome: (reason) => attempt.journal.append(step, "undo-failed", reason)
      })
      if (Option.isSome(failed)) leftovers.push({ step, reason: failed.value })
    }
    for (const step of [...attempt.unreached]) {
      if (attempt.direction === "undoing" && !stepState(yield* attempt.journal.entries, step).undone) {
        leftovers.push({ step, reason: "The backend's handler does not come to this step any more." })
      }
    }
    yield* attempt.journal.append(wholeOrder, "undone")
    return { _tag: "Refused", refusal, leftovers } as const
  })
