/**
 * What has orders looked for before their time: the whole queue, or resources whose next order can go. A resource is in it once, and nothing gets
 * lost.
 */
import { Effect } from "effect"
import type { ResourceId } from "../../core/index.js"

export interface Next {
  /** All of the queue. */
  readonly whole: boolean
  readonly resources: ReadonlyArray<ResourceId>
}

export interface Nexts {
  readonly add: (resource: ResourceId) => Effect.Effect<void>
  /** Has all of the queue looked at. */
  readonly addWhole: Effect.Effect<void>
  /**
   * Calls it when there is something, or at once. Gives what takes that back. A function, as two fibers would have to wait for it beside the one that
   * sleeps.
   */
  readonly hear: (told: () => void) => () => void
  /** All of it, once. */
  readonly take: Effect.Effect<Next>
}

export const makeNexts: Effect.Effect<Nexts> = Effect.sync(() => {
  const resources = new Set<ResourceId>()
  const listeners = new Set<() => void>()
  let whole = false
  const tell = (): void => {
    for (const told of [...listeners]) told()
  }
  return {
    add: (resource) =>
      Effect.sync(() => {
        resources.add(resource)
        tell()
      }),
    addWhole: Effect.sync(() => {
      whole = true
      tell()
    }),
    hear: (told) => {
      if (whole || resources.size > 0) told()
      else listeners.add(told)
      return () => void listeners.delete(told)
    },
    take: Effect.sync(() => {
      const taken = { whole, resources: [...resources] }
      resources.clear()
      whole = false
      return taken
    })
  }
})
