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
     * `next` runs when an order has ended and its resource has another one waiting, also one that came in the meantime.
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
      /** The order that each resource's actor has, and what to do when it has ended: set as soon as another one waits. */
      const atWork = new Map<ResourceId, { readonly order: OrderId; next: Effect.Effect<void> }>()
      const one = ({ offering, order, resource }: Work, next: Effect.Effect<void>) =>
        Effect.suspend(() => {
          const own = { order, next }
          atWork.set(resource, own)
          return actor(resource)
            .Process({ offering, order })
            .pipe(
              Effect.tap((processed) =>
                Effect.when(
                  Effect.suspend(() => own.next),
                  () => processed === "done" || processed === "erred"
                )
              ),
              Effect.catchAllCause((cause) => Effect.logWarning(`Order ${order} goes back to the queue`, cause)),
              Effect.ensuring(Effect.sync(() => atWork.get(resource) === own && atWork.delete(resource)))
            )
        })
      const noteWaiting = (work: ReadonlyArray<Work>, next: Effect.Effect<void>): void => {
        for (const { order, resource } of work) {
          const now = atWork.get(resource)
          if (now !== undefined && now.order !== order) now.next = next
        }
      }
      return {
        send: (work, next) =>
          Effect.zipRight(
            Effect.sync(() => noteWaiting(work, next)),
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
          )
      }
    })
  )
}

const perResource = (work: ReadonlyArray<Work>): ReadonlyArray<Array.NonEmptyReadonlyArray<Work>> =>
  Object.values(Array.groupBy(work, (item) => item.resource))
