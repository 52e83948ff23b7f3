/**
 * From "there is work" to the actor that does it.
 *
 * At most one order of a resource is on its way at a time, the oldest, and of each offering only so many as have places (`places.ts`); the
 * rest waits in Waldur, and as ids here. Nobody awaits an actor here: a provisioning that takes an hour must not hold up the next look at the
 * queue.
 */
import { Array, Cause, Context, Deferred, Duration, Effect, FiberMap, FiberSet, Layer } from "effect"
import type { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { Placement } from "../cluster/placement.js"
import { Wakes } from "../control/wakes.js"
import { backsRest, moveRest } from "../schedules.js"
import { ResourceActor } from "./actor.js"
import { lentFor } from "./places.js"
import { PlacesInWork } from "./placesInWork.js"
import { Quarantine } from "./quarantine.js"
import { Stopping } from "./stopping.js"

export interface Work {
  readonly offering: OfferingId
  readonly order: OrderId
  readonly resource: ResourceId
  /** Whose turns it takes when many wait: its project. */
  readonly project?: string
  /** It was begun before, and goes before what was not. */
  readonly begun?: boolean
}

interface AtWork {
  readonly order: OrderId
  next: Effect.Effect<void>
  /** When it could not be worked on where it was sent. */
  readonly elsewhere: Effect.Effect<void>
  /** Its actor has let go of it; it is sent again when it is woken. */
  isParked: boolean
  isWoken: boolean
}

export class Dispatch extends Context.Tag("site-actors/runtime/Dispatch")<
  Dispatch,
  {
    /**
     * Sends each resource's first order to its actor, unless one is there already: at once, or when there is a place. `work` is in the order
     * in which it was placed.
     * `next` looks at the queue again; it runs when an order has ended and its resource has another one waiting, also one that came in the meantime.
     */
    readonly send: (work: ReadonlyArray<Work>, next: Effect.Effect<void>) => Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.scoped(
    Dispatch,
    Effect.gen(function* () {
      const { word } = yield* Stopping
      yield* Effect.addFinalizer(() => Deferred.succeed(word, undefined))
      const run = yield* FiberSet.makeRuntime<never>()
      const sweepers = yield* FiberMap.make<OfferingId>()
      const actor = yield* ResourceActor.client
      const quarantine = yield* Quarantine
      const places = yield* PlacesInWork
      const { several } = yield* Placement
      const wakes = yield* Wakes
      /** The order that each resource's actor has or shall have, and what to do when it has ended: set as soon as another one waits. */
      const atWork = new Map<ResourceId, AtWork>()

      /** While the database or another process is away this happens to all that is open, again and again: one line a second says enough. */
      const backs = { count: 0 }
      const goesBack = (order: OrderId, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
        // Its actor's process has ended, or has lost it: whoever lost it says why.
        if (Cause.isInterruptedOnly(cause)) return Effect.logDebug(`Order ${order} goes back to the queue`, cause)
        return Effect.suspend(() => {
          if (backs.count++ > 0) return Effect.void
          const tell = Effect.suspend(() => {
            const others = backs.count - 1
            backs.count = 0
            return Effect.logWarning(
              `Order ${order}${others === 0 ? " goes" : ` and ${others} more go`} back to the queue`,
              cause
            )
          })
          return Effect.sync(() => void run(Effect.delay(tell, backsRest)))
        })
      }

      const one = (work: Work, own: AtWork): Effect.Effect<void> => {
        const { begun = false, offering, order, project = "", resource } = work
        return actor(resource)
          .Process({ offering, order, project, begun })
          .pipe(
            Effect.tap((processed) =>
              Effect.sync(() => {
                own.isParked = processed === "parked"
              })
            ),
            Effect.tap((processed) => {
              if (processed === "done" || processed === "erred") return Effect.suspend(() => own.next)
              return processed === "moved" || processed === "closed" ? own.elsewhere : Effect.void
            }),
            Effect.catchAllCause((cause) => Effect.zipRight(goesBack(order, cause), own.elsewhere)),
            Effect.ensuring(
              Effect.zipRight(
                places.sent(offering).free(resource),
                Effect.suspend(() => {
                  if (own.isParked) return own.isWoken ? again(work, own) : Effect.void
                  if (atWork.get(resource) === own) atWork.delete(resource)
                  return Effect.void
                })
              )
            ),
            Effect.asVoid
          )
      }

      const queue = (work: Work, own: AtWork, begun: boolean) => {
        const { offering, project = "", resource } = work
        return places.sent(offering).queue(resource, { turn: project, begun, start: () => void run(one(work, own)) })
      }

      /** A parked order that was woken: it was begun before. */
      const again = (work: Work, own: AtWork) =>
        Effect.suspend(() => {
          own.isParked = false
          own.isWoken = false
          return queue(work, own, true)
        })
      wakes.listen((work) => {
        const own = atWork.get(work.resource)
        if (own === undefined || own.order !== work.order) return
        // Before its actor's answer was here.
        if (!own.isParked) own.isWoken = true
        else void run(again(work, own))
      })

      /**
       * The actor moves to another process, or its offering is not open there yet. Not a matter of the next look, which may be a minute away.
       * In one process there is no other.
       */
      const soon = (look: Effect.Effect<void>): Effect.Effect<void> =>
        several ? Effect.sync(() => void run(Effect.delay(look, moveRest))) : Effect.void

      /** While orders wait for a place, looks whether one was lent for too long. */
      const sweep = (offering: OfferingId) =>
        places
          .sent(offering)
          .look.pipe(
            Effect.delay(Duration.millis(lentFor)),
            Effect.repeat({ until: () => places.sent(offering).isEmpty() }),
            Effect.asVoid
          )

      const begin = (work: Work, next: Effect.Effect<void>, look: Effect.Effect<void>) =>
        Effect.suspend(() => {
          const { begun = false, offering, resource } = work
          if (atWork.has(resource)) return Effect.void
          const own = { order: work.order, next, elsewhere: soon(look), isParked: false, isWoken: false }
          atWork.set(resource, own)
          return Effect.zipRight(
            queue(work, own, begun),
            Effect.unless(FiberMap.run(sweepers, offering, sweep(offering), { onlyIfMissing: true }), () =>
              places.sent(offering).isEmpty()
            )
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
                  begin(oldest, waiting.length > 0 ? next : Effect.void, next),
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
