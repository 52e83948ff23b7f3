/** Who wants an offering's resources looked at now, and not at the next turn: a command, an event from Waldur. */
import { Context, Effect, Layer, Ref } from "effect"
import type { OfferingId } from "../../core/index.js"

type Wakers = ReadonlyMap<OfferingId, Effect.Effect<void>>

export class Looks extends Context.Tag("site-actors/runtime/Looks")<
  Looks,
  {
    /** Has it looked at soon. False: nobody looks at this offering. */
    readonly soon: (offering: OfferingId) => Effect.Effect<boolean>
    /** All offerings that are looked at. */
    readonly everywhere: Effect.Effect<number>
    readonly register: (offering: OfferingId, wake: Effect.Effect<void>) => Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.effect(
    Looks,
    Effect.map(Ref.make<Wakers>(new Map()), (wakers) =>
      Looks.of({
        soon: (offering) =>
          Effect.flatMap(Ref.get(wakers), (all) => {
            const wake = all.get(offering)
            return wake === undefined ? Effect.succeed(false) : Effect.as(wake, true)
          }),
        everywhere: Effect.flatMap(Ref.get(wakers), (all) =>
          Effect.as(
            Effect.forEach([...all.values()], (wake) => wake, { discard: true }),
            all.size
          )
        ),
        register: (offering, wake) => Ref.update(wakers, (all) => new Map([...all, [offering, wake]]))
      })
    )
  )
}
