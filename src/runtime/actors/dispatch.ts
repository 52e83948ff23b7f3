/**
 * From "there is work" to the actor that does it.
 *
 * At most one order of a resource is on its way at a time, the oldest; the rest waits in Waldur. Nobody awaits an actor here: a
 * provisioning that takes an hour must not hold up the next look at the queue.
 */
import { Array, Context, Effect, FiberMap, Layer } from "effect"
import type { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { ResourceActor } from "./actor.js"
import { Quarantine } from "./quarantine.js"

export interface Work {
  readonly offering: OfferingId
  readonly order: OrderId
  readonly resource: ResourceId
}

export class Dispatch extends Context.Tag("site-actors/runtime/Dispatch")<
  Dispatch,
  {
    /**
     * Sends each resource's first order to its actor, unless one is there already. `work` is in the order in which it was placed.
     * `next` runs when an order has ended and its resource has another one waiting.
     */
    readonly send: (work: ReadonlyArray<Work>, next: Effect.Effect<void>) => Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.scoped(
    Dispatch,
    Effect.gen(function* () {
      const inFlight = yield* FiberMap.make<ResourceId>()
      const actor = yield* ResourceActor.client
      const quarantine = yield* Quarantine
      const one = ({ offering, order, resource }: Work, ended: Effect.Effect<void>) =>
        actor(resource)
          .Process({ offering, order })
          .pipe(
            Effect.tap((processed) => Effect.when(ended, () => processed === "done" || processed === "erred")),
            Effect.catchAllCause((cause) => Effect.logWarning(`Order ${order} goes back to the queue`, cause))
          )
      return {
        send: (work, next) =>
          Effect.forEach(
            perResource(work),
            ([oldest, ...waiting]) =>
              Effect.unlessEffect(
                FiberMap.run(inFlight, oldest.resource, one(oldest, waiting.length > 0 ? next : Effect.void), {
                  onlyIfMissing: true
                }),
                quarantine.holds(oldest.resource)
              ),
            { discard: true }
          )
      }
    })
  )
}

const perResource = (work: ReadonlyArray<Work>): ReadonlyArray<Array.NonEmptyReadonlyArray<Work>> =>
  Object.values(Array.groupBy(work, (item) => item.resource))
