/** Of which resources something is noted in Waldur's metadata after a look, of those of which there is something to note. */
import { Clock, Duration, Effect } from "effect"
import type { ResourceId } from "../../core/index.js"

/** After an update of the agent it may be all of them, and nothing waits for it. */
export const notedAtOnce = 50
/** Waldur may not keep it: tried again after so long. */
const again = Duration.toMillis("1 day")

export const makeTurnsToNote = () => {
  const noted = new Map<ResourceId, number>()
  return (resources: ReadonlyArray<ResourceId>): Effect.Effect<ReadonlyArray<ResourceId>> =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const isDue = (resource: ResourceId) => now - (noted.get(resource) ?? Number.NEGATIVE_INFINITY) >= again
      const due = resources.filter(isDue).slice(0, notedAtOnce)
      for (const resource of due) noted.set(resource, now)
      return due
    })
}
