/**
 * Calls, as somebody may want to watch them: in the live view, in the log at debug level, in metrics.
 *
 * A FiberRef, so that a plugin's client can tell of its calls without being handed anything, and so that what is set for one order
 * says whose call it was.
 */
import { Effect, FiberRef } from "effect"
import { between } from "../lean/around.js"

export interface ObservedCall {
  /** `opennebula`, `waldur`, ... */
  readonly system: string
  /** `one.vm.info`, `POST marketplace-orders/{uuid}/set_state_done/`. */
  readonly call: string
  /** Ids it was about, as far as the caller can tell: "100". Never values, which may be secret. */
  readonly about: string
  readonly milliseconds: number
  /** `ok`, or the error's tag. */
  readonly outcome: string
  /** Counts from 1, where the caller repeats by itself. */
  readonly attempt?: number
}

export const callObserver: FiberRef.FiberRef<(call: ObservedCall) => Effect.Effect<void>> = FiberRef.unsafeMake(
  (_call: ObservedCall): Effect.Effect<void> => Effect.void
)

/** Tells whoever watches. */
export const observed = (call: ObservedCall): Effect.Effect<void> =>
  Effect.flatMap(FiberRef.get(callObserver), (observe) => observe(call))

/** A call that has its turn and has not ended. */
export type CallUnderWay = Pick<ObservedCall, "system" | "call" | "about">

/** Told of a call that begins; gives what is to be run when it has ended. */
export type CallBeginning = (call: CallUnderWay) => Effect.Effect<Effect.Effect<void>>

const nobodyListens: CallBeginning = () => Effect.succeed(Effect.void)

export const callBeginning: FiberRef.FiberRef<CallBeginning> = FiberRef.unsafeMake(nobodyListens)

/** Around a call, from its turn to its end. */
export const underWay =
  (call: CallUnderWay) =>
  <A, E, R>(exchange: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(FiberRef.get(callBeginning), (begin) =>
      begin === nobodyListens ? exchange : between(begin(call))(exchange)
    )
