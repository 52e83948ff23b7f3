/** The cluster in one process: the address book lives in memory, messages are stored nowhere. */
import { MessageStorage, RunnerHealth, RunnerStorage, Runners, Sharding, ShardingConfig } from "@effect/cluster"
import { Layer } from "effect"
import { and } from "../layers.js"

const config = ShardingConfig.layer({
  shardsPerGroup: 64,
  entityTerminationTimeout: "10 seconds",
  // There is no other runner whose coming could be noticed, and no store with messages: these looks find nothing.
  refreshAssignmentsInterval: "1 minute",
  entityMessagePollInterval: "1 minute"
})

export const singleProcess = Layer.scopedContext(
  Layer.build(config).pipe(
    and(MessageStorage.layerNoop),
    and(RunnerStorage.layerMemory),
    and(RunnerHealth.layerNoop),
    and(Runners.layerNoop),
    and(Sharding.layer)
  )
)
