/**
 * The word that this process ends: its actors leave what they are at, which stands in the journal, and others may have it at once. Without it an
 * actor would be given ten seconds to come to the end of its order.
 */
import { Context, Deferred, Effect, Layer } from "effect"

export class Stopping extends Context.Tag("site-actors/runtime/Stopping")<Stopping, Deferred.Deferred<void>>() {
  static readonly layer = Layer.effect(Stopping, Deferred.make<void>())
}

/** Ends the work when the word is given. */
export const stoppable = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Stopping> =>
  Effect.flatMap(Stopping, (stopping) =>
    Effect.raceFirst(work, Effect.zipRight(Deferred.await(stopping), Effect.interrupt))
  )
