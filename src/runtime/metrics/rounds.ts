/** Work that comes round again, for as long as an offering is open. */
import { Cause, Clock, Effect, Exit } from "effect"
import type { OfferingId } from "../../core/index.js"
import { Metrics, type RoundOf } from "./metrics.js"

/** Counts how the round went. One that is cut off at the end counts as neither. */
export const countedRound =
  (offering: OfferingId, work: RoundOf) =>
  <A, E, R>(round: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.onExit(round, (exit) =>
      Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
        ? Effect.void
        : Effect.zipWith(Metrics, Clock.currentTimeMillis, (metrics, at) =>
            metrics.round(offering, work, Exit.isSuccess(exit), at)
          )
    )
