/**
 * Whose it is by now, what an order has made or chosen. A backend that was put back from a backup gives ids for a second time
 * (docs/decisions/0080-ids-that-come-again.md): nothing more is done with what is somebody else's by now, and nothing of it is undone.
 */
import { Effect, MutableRef, Option } from "effect"
import { NotYet, OfferingFault, OrderRefused, type SiteError } from "../errors.js"
import type { Attempt, Subject } from "./attempt.js"
import type { JournalError } from "./journal.js"

/** Whether what a step has noted is somebody else's object by now. */
export type IsOthers<A, E extends SiteError, R> = (known: A) => Effect.Effect<boolean, E, R>

/** What every step may fail with beside its own: the last three where it cannot be seen that what earlier attempts made is still this order's. */
export type StepError = JournalError | OrderRefused | NotYet | OfferingFault

/** The first one that is somebody else's by now. */
const othersAmong = (
  subjects: MutableRef.MutableRef<ReadonlyArray<Subject>>
): Effect.Effect<Option.Option<Subject>, SiteError> =>
  Effect.findFirst(MutableRef.get(subjects), ({ isOthers }) => isOthers)

const asStepError = (error: SiteError): StepError => {
  const { disposition, message } = error
  if (disposition === "retry") return new NotYet({ reason: message })
  return disposition === "fail-order"
    ? new OrderRefused({ customerMessage: error.customerMessage ?? message, detail: message })
    : new OfferingFault({ reason: message, hint: "" })
}

/** Nothing more is done with what is somebody else's by now. Looked at once in an attempt, and only by one that remembers something. */
export const assertOurs = ({ unseen }: Attempt): Effect.Effect<void, StepError> =>
  Effect.gen(function* () {
    const others = yield* Effect.mapError(othersAmong(unseen), asStepError)
    if (Option.isSome(others)) {
      return yield* new OrderRefused({
        customerMessage:
          "What this order was about is gone from the cloud, which seems to have been put back to an earlier state: order again, or ask the provider.",
        detail: `what step "${others.value.step}" has noted is somebody else's by now`
      })
    }
    MutableRef.set(unseen, [])
  })

/** An undo that leaves alone what is somebody else's by now. */
export const ifOurs = <A>(
  step: string,
  { chosen }: Attempt,
  made: Option.Option<A>,
  isOthers: (made: A) => Effect.Effect<boolean, SiteError>,
  undo: Effect.Effect<void, SiteError>
): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const others = yield* othersAmong(chosen)
    const isLeft = Option.isSome(others) || (Option.isSome(made) && (yield* isOthers(made.value)))
    if (!isLeft) return yield* undo
    yield* Effect.logWarning(
      `Step "${step}" is not undone: what it was done to is gone, and somebody else's object has its id by now`
    )
  })
