/** The other processes that share the work, if there are any. */
import { Context, Effect, Layer } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import type { ClusterUnusable } from "../config/cluster.js"
import type { OfferingConfig } from "../config/index.js"

export class Others extends Context.Tag("site-actors/runtime/Others")<
  Others,
  {
    /** Ids of the offerings that they have. */
    readonly offerings: Effect.Effect<ReadonlyArray<string>, JournalUnavailable>
    /** Notes what this process has, compares, and says what differs, once, and when nothing does any more. Never fails. */
    readonly keepAlike: (offerings: ReadonlyArray<OfferingConfig>) => Effect.Effect<void>
    /** Fails when another one has come in this one's place: it would do nothing any more, and has to say so. */
    readonly superseded: Effect.Effect<never, ClusterUnusable>
  }
>() {
  /** One process: there are none. */
  static readonly none = Layer.succeed(Others, {
    offerings: Effect.succeed([]),
    keepAlike: () => Effect.void,
    superseded: Effect.never
  })
}
