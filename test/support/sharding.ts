/** The cluster of a single process: its address book lives in memory, and there are no others. */
import { MessageStorage, RunnerHealth, RunnerStorage, Runners, Sharding, ShardingConfig } from "@effect/cluster"
import { Layer } from "effect"

const config = ShardingConfig.layer({
  shardsPerGroup: 64,
  // There is no other runner whose coming could be noticed, and no store with messages: these looks find nothing.
  refreshAssignmentsInterval: "1 minute",
  entityMessagePollInterval: "1 minute"
})

export const singleProcess = Sharding.layer.pipe(
  Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop, Runners.layerNoop]),
  Layer.provide([MessageStorage.layerNoop, config])
)
