/**
 * The word that this process ends: its actors leave what they are at, which stands in the journal, and others may have it at once. Without it an
 * actor would be given ten seconds to come to the end of its order. And which orders actors are at: what an end has to wait for.
 */
import { Context, Deferred, Effect, Layer } from "effect"
import type { OrderId } from "../../core/index.js"

export class Stopping extends Context.Tag("site-actors/runtime/Stopping")<
  Stopping,
  {
    readonly word: Deferred.Deferred<void>
    /** Orders that an actor is at, also while it only comes to its end. */
    readonly atWork: Set<OrderId>
  }
>() {
  static readonly layer = Layer.effect(
    Stopping,
    Effect.map(Deferred.make<void>(), (word) => ({ word, atWork: new Set<OrderId>() }))
  )
}

/** Ends the work when the word is given. */
export const stoppable = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Stopping> =>
  Effect.flatMap(Stopping, ({ word }) =>
    Effect.raceFirst(work, Effect.zipRight(Deferred.await(word), Effect.interrupt))
  )

/** The same for an order, which is seen to be at work until all of it has ended. */
export const stoppableOrder =
  (order: OrderId) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Stopping> =>
    Effect.flatMap(Stopping, ({ atWork }) =>
      Effect.acquireUseRelease(
        Effect.sync(() => atWork.add(order)),
        () => stoppable(work),
        () => Effect.sync(() => atWork.delete(order))
      )
    )
