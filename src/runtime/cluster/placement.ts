/** Which process a resource, or a piece of work that is done once, belongs to. */
import { EntityId, Sharding } from "@effect/cluster"
import { Context, Effect, Layer } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { Member } from "./storage.js"

export class Placement extends Context.Tag("site-actors/runtime/Placement")<
  Placement,
  {
    /** Is this one of several processes? */
    readonly several: boolean
    /** Is it this process's, as the database has it at this moment? `id`: a resource's, or the name of a work. */
    readonly isOurs: (id: string) => Effect.Effect<boolean, JournalUnavailable>
  }
>() {
  /** One process: everything. */
  static readonly single = Layer.succeed(Placement, { several: false, isOurs: () => Effect.succeed(true) })

  static readonly several = Layer.effect(
    Placement,
    Effect.gen(function* () {
      const sharding = yield* Sharding.Sharding
      const member = yield* Member
      return {
        several: true,
        isOurs: (id) => member.holds(sharding.getShardId(EntityId.make(id), "default").toString())
      }
    })
  )
}
