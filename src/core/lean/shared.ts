/**
 * One read for all who ask for the same in the same moment. Whoever asks while one is under way is answered by the next, which begins after he asked:
 * so nobody is told what was true before he asked, and a hundred orders that begin together cost two reads rather than a hundred.
 */
import { Deferred, Effect, Exit, FiberId } from "effect"

type Turn<A, E> = { readonly _tag: "Lead" } | { readonly _tag: "Answer"; readonly exit: Exit.Exit<A, E> }

interface Asker<A, E> {
  readonly turn: Deferred.Deferred<Turn<A, E>>
  state: "waits" | "leads" | "gone"
}

/** Who leads makes the read as its own. If it is interrupted, the next who waits leads. */
export const shared = <A, E>(read: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  /** Those who asked since the read that is under way began. */
  let waiting: ReadonlyArray<Asker<A, E>> = []
  let isUnderWay = false

  /** The first of those who wait leads, and the others are answered with it. */
  const passOn = (): void => {
    const [first, ...others] = waiting.filter(({ state }) => state === "waits")
    waiting = others
    isUnderWay = first !== undefined
    if (first === undefined) return
    first.state = "leads"
    Deferred.unsafeDone(first.turn, Effect.succeed({ _tag: "Lead" }))
  }

  const lead = (restore: <B, E2>(effect: Effect.Effect<B, E2>) => Effect.Effect<B, E2>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      isUnderWay = true
      const answered = waiting
      waiting = []
      return Effect.flatMap(Effect.exit(restore(read)), (exit) => {
        // Whoever was interrupted has read for nobody.
        if (Exit.isInterrupted(exit)) waiting = [...answered, ...waiting]
        else for (const { turn } of answered) Deferred.unsafeDone(turn, Effect.succeed({ _tag: "Answer", exit }))
        passOn()
        return exit
      })
    })

  const ask = (restore: <B, E2>(effect: Effect.Effect<B, E2>) => Effect.Effect<B, E2>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      if (!isUnderWay) return lead(restore)
      const asker: Asker<A, E> = { turn: Deferred.unsafeMake(FiberId.none), state: "waits" }
      waiting = [...waiting, asker]
      return restore(Deferred.await(asker.turn)).pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            const was = asker.state
            asker.state = "gone"
            if (was === "leads") passOn()
          })
        ),
        Effect.flatMap((heard) => (heard._tag === "Lead" ? lead(restore) : heard.exit))
      )
    })
  return Effect.uninterruptibleMask(ask)
}

/** The same of each key: whoever asks of one does not wait for another. A key is forgotten as soon as nobody asks of it. */
export const sharedByKey = <Key, A, E>(
  read: (key: Key) => Effect.Effect<A, E>
): ((key: Key) => Effect.Effect<A, E>) => {
  const all = new Map<Key, { readonly ask: Effect.Effect<A, E>; askers: number }>()
  return (key) =>
    Effect.suspend(() => {
      const own = all.get(key) ?? { ask: shared(read(key)), askers: 0 }
      all.set(key, own)
      own.askers += 1
      return Effect.ensuring(
        own.ask,
        Effect.sync(() => {
          own.askers -= 1
          if (own.askers === 0) all.delete(key)
        })
      )
    })
}
