/**
 * What happens, as it happens: orders, steps and calls, for whoever wants to watch (the demo, the log, later the page).
 *
 * Nobody waits for a watcher: a slow one misses events. The truth is in the journal.
 */
import { Context, Effect, Layer, PubSub } from "effect"
import type { ObservedCall, OfferingId, OrderId, ResourceId } from "../core/index.js"

export type Activity =
  | {
      readonly _tag: "Order"
      readonly order: OrderId
      readonly resource: ResourceId
      readonly offering: OfferingId
      /** `accepted`, `retrying`, `undoing`, `done`, `erred`, `quarantined`, ... */
      readonly event: string
      readonly detail?: string
    }
  | {
      readonly _tag: "Step"
      readonly order: OrderId
      readonly resource: ResourceId
      readonly step: string
      readonly event: string
    }
  | ({
      readonly _tag: "Call"
    } & ObservedCall)
  /** An offering's resources have been looked at. */
  | { readonly _tag: "Look"; readonly offering: OfferingId }
  /** Something was done by hand, from the page or the command line, and written down. */
  | { readonly _tag: "Deed"; readonly kind: string }
  | { readonly _tag: "Offering"; readonly offering: OfferingId; readonly event: string; readonly detail?: string }

export class Activities extends Context.Tag("site-actors/runtime/Activities")<Activities, PubSub.PubSub<Activity>>() {
  static readonly layer = Layer.scoped(
    Activities,
    Effect.acquireRelease(PubSub.sliding<Activity>(4096), (hub) => PubSub.shutdown(hub))
  )
}

export const publish = (activity: Activity): Effect.Effect<void, never, Activities> =>
  Effect.flatMap(Activities, (hub) => Effect.asVoid(PubSub.publish(hub, activity)))
