/** Who wants an offering's resources looked at now, and not at the next turn: a command, an event from Waldur. */
import { Context, Effect, Layer, Ref, type Scope } from "effect"
import type { OfferingId, ResourceId } from "../../core/index.js"

/** How an offering is had looked at. */
export interface Waker {
  readonly all: Effect.Effect<void>
  /** Has one resource put right by its actor, if there is something to put right; returns at once. */
  readonly one: (resource: ResourceId) => Effect.Effect<void>
}
type Wakers = ReadonlyMap<OfferingId, Waker>

export class Looks extends Context.Tag("site-actors/runtime/Looks")<
  Looks,
  {
    /** Has it looked at soon. False: nobody looks at this offering here. */
    readonly soon: (offering: OfferingId) => Effect.Effect<boolean>
    /** Has one resource looked at soon, and what follows done. False: nobody looks at this offering here. */
    readonly at: (offering: OfferingId, resource: ResourceId) => Effect.Effect<boolean>
    /** Until the scope closes. */
    readonly register: (offering: OfferingId, waker: Waker) => Effect.Effect<void, never, Scope.Scope>
  }
>() {
  static readonly layer = Layer.effect(
    Looks,
    Effect.map(Ref.make<Wakers>(new Map()), (wakers) => {
      const woken = (offering: OfferingId, how: (waker: Waker) => Effect.Effect<void>) =>
        Effect.flatMap(Ref.get(wakers), (all) => {
          const waker = all.get(offering)
          return waker === undefined ? Effect.succeed(false) : Effect.as(how(waker), true)
        })
      return Looks.of({
        soon: (offering) => woken(offering, ({ all }) => all),
        at: (offering, resource) => woken(offering, ({ one }) => one(resource)),
        register: (offering, waker) =>
          Effect.acquireRelease(
            Ref.update(wakers, (all) => new Map([...all, [offering, waker]])),
            () => Ref.update(wakers, (all) => new Map([...all].filter(([id, one]) => id !== offering || one !== waker)))
          )
      })
    })
  )
}
