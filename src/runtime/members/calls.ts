/** Who wants members synchronised now, and not at the next round: a command. */
import { Context, Effect, Layer, Ref } from "effect"
import type { OfferingId } from "../../core/index.js"

/** One round over all resources of an offering. True: everybody has what they should have. */
type Round = Effect.Effect<boolean>

export class MemberCalls extends Context.Tag("site-actors/runtime/MemberCalls")<
  MemberCalls,
  {
    /** Completes when all offerings have had a round: how each went. */
    readonly everywhere: Effect.Effect<ReadonlyArray<boolean>>
    readonly register: (offering: OfferingId, round: Round) => Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.effect(
    MemberCalls,
    Effect.map(Ref.make<ReadonlyMap<OfferingId, Round>>(new Map()), (rounds) =>
      MemberCalls.of({
        everywhere: Effect.flatMap(Ref.get(rounds), (all) =>
          Effect.forEach(all.values(), (round) => round, { concurrency: "unbounded" })
        ),
        register: (offering, round) => Ref.update(rounds, (all) => new Map([...all, [offering, round]]))
      })
    )
  )
}
