/** The cluster in one process: the address book lives in memory, messages are stored nowhere. */
import { MessageStorage, RunnerHealth, RunnerStorage, Runners, Sharding, ShardingConfig } from "@effect/cluster"
import { Layer } from "effect"
import { actorPatience } from "../schedules.js"

export const singleProcess = Sharding.layer.pipe(
  Layer.provide(Runners.layerNoop),
  Layer.provideMerge(MessageStorage.layerNoop),
  Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
  Layer.provideMerge(
    ShardingConfig.layer({
      shardsPerGroup: 64,
      entityTerminationTimeout: actorPatience,
      // There is no other runner whose coming could be noticed, and no store with messages: these looks find nothing.
      refreshAssignmentsInterval: "1 minute",
      entityMessagePollInterval: "1 minute"
    })
  )
)
