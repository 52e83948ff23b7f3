/** Resources whose next order can go: they are looked for in the queue. A resource is in it once, and nothing gets lost. */
import { Effect } from "effect"
import type { ResourceId } from "../../core/index.js"

export interface Nexts {
  readonly add: (resource: ResourceId) => Effect.Effect<void>
  /** Completes when there are some. */
  readonly some: Effect.Effect<void>
  /** All of them, once. */
  readonly take: Effect.Effect<ReadonlyArray<ResourceId>>
}

export const makeNexts: Effect.Effect<Nexts> = Effect.map(Effect.makeLatch(false), (some) => {
  const all = new Set<ResourceId>()
  return {
    add: (resource) =>
      Effect.suspend(() => {
        all.add(resource)
        return Effect.asVoid(some.open)
      }),
    some: some.await,
    take: Effect.suspend(() => {
      const taken = [...all]
      all.clear()
      return Effect.as(some.close, taken)
    })
  }
})
