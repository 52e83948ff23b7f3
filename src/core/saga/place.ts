/**
 * The place that an order has among those in work. Only so many are in work at once, so that thousands do not all advance in lock step, all in
 * memory, and all end at the end; an order that only waits, for a machine to boot or for a server to come back, leaves its place to others.
 *
 * A FiberRef, so that whatever waits can step aside without being handed anything. Without a place, stepping aside is only waiting.
 */
import { Effect, Exit, FiberRef } from "effect"

export interface Place {
  readonly leave: Effect.Effect<void>
  /** Waits until there is room; those that were in work before come before new ones. */
  readonly retake: Effect.Effect<void>
}

export const orderPlace: FiberRef.FiberRef<Place> = FiberRef.unsafeMake<Place>({
  leave: Effect.void,
  retake: Effect.void
})

/** Around a wait that may be long: the order leaves its place, and has one again when the wait is over, however that ended. */
export const aside = <A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { leave, retake } = yield* FiberRef.get(orderPlace)
      yield* leave
      const exit = yield* Effect.exit(restore(wait))
      // Whoever is interrupted does no more work.
      if (!Exit.isInterrupted(exit)) yield* restore(retake)
      return yield* exit
    })
  )
