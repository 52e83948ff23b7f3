/** Parked orders whose resource is with another process by now, where several share the work. */
import { type Context, Effect } from "effect"
import type { ResourceId } from "../../core/index.js"
import type { Wakes } from "../orders/wakes.js"
import type { Holders, Placement } from "../placement/index.js"

interface Sent {
  readonly work: { readonly resource: ResourceId }
  /** The start of the process whose actor has let go of it; none: it is on its way. */
  readonly parkedAt: string | undefined
}

/** Those that this process had sent. */
interface SentOrders<A extends Sent> {
  readonly all: () => ReadonlyArray<A>
  /** Sends it to its actor once more, wherever that is now. */
  readonly again: (own: A) => Effect.Effect<void>
}

export const makeMoves = <A extends Sent>(
  placement: Context.Tag.Service<Placement>,
  wakes: Context.Tag.Service<Wakes>,
  sent: SentOrders<A>
) => {
  /** Who has what, at the last look; and whether some parked order is somewhere else than that says. */
  let holders: Holders = { of: () => placement.self, all: "" }
  let unclear = false
  return {
    parked: (resource: ResourceId, at: string): void => {
      unclear ||= holders.of(resource) !== at
    },
    /**
     * Those that this process had sent go where their resource is now, and of those that wait by a note of this one, whoever sends them is told. One with
     * nobody stays until somebody has it.
     */
    follow: Effect.gen(function* () {
      const parked = sent.all().filter(({ parkedAt }) => parkedAt !== undefined)
      if (parked.length === 0 && (yield* wakes.parked) === 0) return
      const now = yield* placement.holders
      if (now.all === holders.all && !unclear) return
      holders = now
      unclear = false
      wakes.left((resource) => {
        const at = now.of(resource)
        return at !== undefined && at !== placement.self
      })
      for (const own of parked) {
        const at = now.of(own.work.resource)
        // Or woken meanwhile.
        if (at === own.parkedAt || own.parkedAt === undefined) continue
        if (at === undefined) unclear = true
        else yield* sent.again(own)
      }
    }).pipe(Effect.catchAll((error) => Effect.logDebug(`Who has which resource is not known: ${error.message}`)))
  }
}
