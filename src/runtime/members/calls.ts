/** Who wants members synchronised now, and not at the next round: a command. */
import { Context, Effect, Layer, Option, Ref, type Scope } from "effect"
import type { OfferingId } from "../../core/index.js"

/** One round over all resources of an offering. True: nothing is left that another round could do; who can have no access as things are set does not count. */
type Round = Effect.Effect<boolean>

export class MemberCalls extends Context.Tag("site-actors/runtime/MemberCalls")<
  MemberCalls,
  {
    /** Completes when the offering has had a round: how it went. None: nobody synchronises its members here. */
    readonly at: (offering: OfferingId) => Effect.Effect<Option.Option<boolean>>
    /** Until the scope closes. */
    readonly register: (offering: OfferingId, round: Round) => Effect.Effect<void, never, Scope.Scope>
  }
>() {
  static readonly layer = Layer.effect(
    MemberCalls,
    Effect.map(Ref.make<ReadonlyMap<OfferingId, Round>>(new Map()), (rounds) =>
      MemberCalls.of({
        at: (offering) =>
          Effect.flatMap(Ref.get(rounds), (all) => Effect.transposeOption(Option.fromNullable(all.get(offering)))),
        register: (offering, round) =>
          Effect.acquireRelease(
            Ref.update(rounds, (all) => new Map([...all, [offering, round]])),
            () => Ref.update(rounds, (all) => new Map([...all].filter(([id, one]) => id !== offering || one !== round)))
          )
      })
    )
  )
}
