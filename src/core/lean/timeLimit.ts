/**
 * One time limit for very many short things, as the calls of a client are. `Effect.timeoutFail` costs two fibers each time, one that works and
 * one that sleeps, and they await each other; here all share one that sleeps, until the oldest is due.
 */
import { Duration, Effect, type Scope } from "effect"
import { unlessTold } from "./told.js"

export interface TimeLimit {
  /**
   * Runs `work` and interrupts it at the limit, also where the caller may not be interrupted; then it fails with what `onTimeout` makes. What
   * `work` sets of the fiber itself (FiberRefs) ends with it.
   */
  readonly within: <A, E, R, E2>(work: Effect.Effect<A, E, R>, onTimeout: () => E2) => Effect.Effect<A, E | E2, R>
}

interface Running {
  readonly due: number
  /** Taken out when it is over: what is left of it here holds nothing of its answer, whoever still holds this. */
  expire: (() => void) | undefined
}

/** While the scope lasts: after it, nothing is cut short any more. */
export const makeTimeLimit = (limit: Duration.DurationInput): Effect.Effect<TimeLimit, never, Scope.Scope> =>
  Effect.gen(function* () {
    const millis = Duration.toMillis(limit)
    const clock = yield* Effect.clock
    /** In the order in which they are due, as all have the same limit. */
    const running = new Set<Running>()
    const some = yield* Effect.makeLatch(false)

    /**
     * Nothing of `running` is held while it sleeps, and no iterator over it least of all: that would keep all that was in the set meanwhile. V8 keeps
     * one all the same when it has just compiled this anew.
     */
    const expireDue = (now: number): number | undefined => {
      for (const one of running) {
        if (one.due > now) return one.due - now
        running.delete(one)
        one.expire?.()
      }
      some.unsafeClose()
      return undefined
    }
    const watch = Effect.gen(function* () {
      yield* some.await
      const rest = expireDue(clock.unsafeCurrentTimeMillis())
      if (rest !== undefined) yield* Effect.sleep(rest)
    })
    yield* Effect.forkScoped(Effect.forever(watch))

    return {
      within: <A, E, R, E2>(work: Effect.Effect<A, E, R>, onTimeout: () => E2) =>
        unlessTold(Effect.interruptible(work), (tell: (late: Effect.Effect<never, E2>) => void) => {
          const one: Running = {
            due: clock.unsafeCurrentTimeMillis() + millis,
            expire: () => tell(Effect.failSync(onTimeout))
          }
          running.add(one)
          some.unsafeOpen()
          return () => {
            running.delete(one)
            one.expire = undefined
          }
        })
    }
  })
