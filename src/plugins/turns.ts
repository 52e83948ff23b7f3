/** One at a time for each key, within this process: whoever comes while another is at work waits for its turn. */
import { Effect } from "effect"

export type InTurn = (key: string) => <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

export const makeTurns = (): InTurn => {
  const turns = new Map<string, { readonly semaphore: Effect.Semaphore; takers: number }>()
  const take = (key: string) =>
    Effect.sync(() => {
      const turn = turns.get(key) ?? { semaphore: Effect.unsafeMakeSemaphore(1), takers: 0 }
      turn.takers += 1
      turns.set(key, turn)
      return turn
    })
  return (key) => (work) =>
    Effect.acquireUseRelease(
      take(key),
      ({ semaphore }) => semaphore.withPermits(1)(work),
      (turn) =>
        Effect.sync(() => {
          turn.takers -= 1
          if (turn.takers === 0) turns.delete(key)
        })
    )
}
