/** Whose a resource is, by the shard that it falls into and the address book's word on that shard. */
import { EntityId, Sharding } from "@effect/cluster"
import { Effect, Layer } from "effect"
import { Placement } from "../placement/index.js"
import { Member } from "./storage.js"

export const placement = Layer.effect(
  Placement,
  Effect.gen(function* () {
    const sharding = yield* Sharding.Sharding
    const member = yield* Member
    const shardOf = (id: string) => sharding.getShardId(EntityId.make(id), "default").toString()
    return {
      several: true,
      isOurs: (id) => member.holds(shardOf(id)),
      self: member.instance,
      holders: Effect.map(member.holders, (shards) => ({
        of: (id) => shards.get(shardOf(id)),
        all: [...shards].join(" ")
      }))
    }
  })
)
