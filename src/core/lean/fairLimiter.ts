/**
 * So many at once and no more, and those who wait take turns by owner: a burst of one resource or offering does not keep the others
 * waiting behind it.
 *
 * A place is handed from one to the next. Effect's semaphore (3.22) wakes everybody who waits at each release, and all but one of them
 * queue again, each with some more frames on its stack: with four hundred orders in work that cost a megabyte an order. So where many may
 * wait, they wait here; `firstCome` is for those who are all alike.
 */
import { Deferred, Effect, FiberId } from "effect"
import { endedBy } from "./around.js"

interface Waiter {
  readonly turn: Deferred.Deferred<void>
  granted: boolean
}

export interface FairLimiter {
  /** Runs `effect` when it is `owner`'s turn. An interruption, while waiting or running, gives the place back. */
  readonly withPlace: (owner: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** More or fewer places from now on; those who have one keep it. */
  readonly resize: (places: number) => Effect.Effect<void>
  readonly state: Effect.Effect<{ readonly running: number; readonly waiting: number }>
}

/** First come, first served. */
export const firstCome = (places: number) => makeFairLimiter(places).withPlace("all")

export const makeFairLimiter = (initialPlaces: number): FairLimiter => {
  let places = initialPlaces
  let running = 0
  /** Owners with waiting calls, in the order of their turns; each one's calls in the order in which they came. */
  const waiting = new Map<string, Array<Waiter>>()

  /** Serves the owner who stands first, and puts him last. */
  const grantNext = (): void => {
    const first = waiting.entries().next()
    if (first.done === true) return
    const [owner, queue] = first.value
    const waiter = queue.shift()
    waiting.delete(owner)
    if (queue.length > 0) waiting.set(owner, queue)
    if (waiter === undefined) return
    running += 1
    waiter.granted = true
    Deferred.unsafeDone(waiter.turn, Effect.void)
  }

  const grantFree = (): void => {
    while (running < places && waiting.size > 0) grantNext()
  }

  const release = Effect.sync(() => {
    running -= 1
    grantFree()
  })

  const join = (owner: string, waiter: Waiter): void => {
    const queue = waiting.get(owner)
    if (queue === undefined) waiting.set(owner, [waiter])
    else queue.push(waiter)
    grantFree()
  }

  const leave = (owner: string, waiter: Waiter) =>
    Effect.suspend(() => {
      if (waiter.granted) return release
      const queue = waiting.get(owner)?.filter((other) => other !== waiter) ?? []
      // A set on a key that is there keeps the owner's turn.
      if (queue.length === 0) waiting.delete(owner)
      else waiting.set(owner, queue)
      return Effect.void
    })

  const acquire = (owner: string, restore: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>) =>
    Effect.suspend(() => {
      const waiter: Waiter = { turn: Deferred.unsafeMake(FiberId.none), granted: false }
      join(owner, waiter)
      return waiter.granted
        ? Effect.void
        : restore(Deferred.await(waiter.turn)).pipe(Effect.onInterrupt(() => leave(owner, waiter)))
    })

  return {
    withPlace: (owner) => (effect) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.zipRight(acquire(owner, restore), endedBy(release)(restore(effect)))
      ),
    resize: (wanted) =>
      Effect.sync(() => {
        places = wanted
        grantFree()
      }),
    state: Effect.sync(() => ({
      running,
      waiting: [...waiting.values()].reduce((sum, queue) => sum + queue.length, 0)
    }))
  }
}
