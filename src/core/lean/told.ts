/**
 * Work that somebody else may end: by a word that comes at any time, and mostly never. `Effect.raceFirst` has two fibers for that, which await each
 * other, one of them for nothing but to wait; here the word is a function.
 */
import { Effect, Fiber } from "effect"

/**
 * Runs `work`. When somebody says so, it is interrupted, and once it has ended, `instead` comes in its place. `hear`: is given how to say it, before
 * the work can have ended; gives what is called when nobody needs to say it any more. What `work` sets of the fiber itself (FiberRefs) ends with it.
 */
export const unlessTold = <A, E, R, B, E2>(
  work: Effect.Effect<A, E, R>,
  hear: (tell: (instead: Effect.Effect<B, E2>) => void) => () => void
): Effect.Effect<A | B, E | E2, R> =>
  Effect.uninterruptibleMask((restore) =>
    // A daemon: a child would hear of its parent's interruption at once, also where that has to wait.
    Effect.flatMap(Effect.forkDaemon(restore(work)), (fiber) => {
      const ended = Effect.async<Effect.Effect<A | B, E | E2>>((resume) => {
        const unheard = hear((instead) => resume(Effect.succeed(Effect.zipRight(Fiber.interrupt(fiber), instead))))
        fiber.addObserver((exit) => {
          unheard()
          resume(Effect.succeed(exit))
        })
      })
      return Effect.flatten(Effect.onInterrupt(restore(ended), () => Fiber.interrupt(fiber)))
    })
  )
