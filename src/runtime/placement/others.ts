/** The other processes that share the work, if there are any. */
import { Context, Effect, Layer, Option } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import type { ClusterUnusable } from "../config/cluster.js"
import type { OfferingConfig } from "../config/index.js"
import type { CutOff } from "../journal/present.js"

/** Which processes do not reach each other. */
export interface Reach {
  readonly cutOffs: ReadonlyArray<CutOff>
  /** Others have this process's resources, until it is reached. */
  readonly leftOut: boolean
  /** How many do not reach this one, or are not reached by it. */
  readonly unreached: number
}

export class Others extends Context.Tag("site-actors/runtime/Others")<
  Others,
  {
    /** Ids of the offerings that they have. */
    readonly offerings: Effect.Effect<ReadonlyArray<string>, JournalUnavailable>
    /** Notes what this process has, compares, and says what differs, once, and when nothing does any more. Never fails. */
    readonly keepAlike: (offerings: ReadonlyArray<OfferingConfig>) => Effect.Effect<void>
    /** As of some seconds ago; none where there is one process. */
    readonly reach: Effect.Effect<Reach | undefined>
    /** Fails when another one has come in this one's place: it would do nothing any more, and has to say so. */
    readonly superseded: Effect.Effect<never, ClusterUnusable>
  }
>() {
  /** One process: there are none. */
  static readonly none = Layer.succeed(Others, {
    offerings: Effect.succeed([]),
    keepAlike: () => Effect.void,
    reach: Effect.succeed(undefined),
    superseded: Effect.never
  })
}

/** The same for whoever may be asked before anything has begun. */
export const reachNow: Effect.Effect<Reach | undefined> = Effect.flatMap(
  Effect.serviceOption(Others),
  Option.match({ onNone: () => Effect.succeed(undefined), onSome: ({ reach }) => reach })
)
