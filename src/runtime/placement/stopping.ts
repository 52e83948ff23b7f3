/**
 * The word that this process ends: its actors leave what they are at, which stands in the journal, and others may have it at once. Without it an
 * actor would be given ten seconds to come to the end of its order. And which orders actors are at: what an end has to wait for.
 */
import { Context, Effect, Layer } from "effect"
import { type OrderId, unlessTold } from "../../core/index.js"

/** Given once, for good. */
export interface Word extends WordHeard {
  readonly give: Effect.Effect<void>
}

/** The word, for those who do not give it. */
export interface WordHeard {
  /** Calls it when the word is given, or at once if it has been. Gives what takes that back. */
  readonly hear: (given: () => void) => () => void
}

export class Stopping extends Context.Tag("site-actors/runtime/Stopping")<
  Stopping,
  {
    readonly word: Word
    /** Orders that an actor is at, also while it only comes to its end. */
    readonly atWork: Set<OrderId>
  }
>() {
  static readonly layer = Layer.effect(
    Stopping,
    Effect.sync(() => ({ word: makeWord(), atWork: new Set<OrderId>() }))
  )
}

const makeWord = (): Word => {
  const listeners = new Set<() => void>()
  let isGiven = false
  return {
    give: Effect.sync(() => {
      isGiven = true
      for (const given of [...listeners]) given()
    }),
    hear: (given) => {
      if (isGiven) given()
      else listeners.add(given)
      return () => void listeners.delete(given)
    }
  }
}

/** Ends the work when the word is given. What is done under a lease ends by itself then (`holding.ts`). */
export const stoppable =
  (word: WordHeard) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    unlessTold(work, (tell) => word.hear(() => tell(Effect.interrupt)))

/** Shows an order as being at work until all of it has ended. */
export const atWorkOn =
  (order: OrderId) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Stopping> =>
    Effect.flatMap(Stopping, ({ atWork }) =>
      Effect.ensuring(
        Effect.suspend(() => {
          atWork.add(order)
          return work
        }),
        Effect.sync(() => atWork.delete(order))
      )
    )
