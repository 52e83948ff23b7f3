/** The cluster in one process: the address book lives in memory, messages are stored nowhere. */
import { MessageStorage, RunnerHealth, RunnerStorage, Runners, Sharding, ShardingConfig } from "@effect/cluster"
import { Context, Effect } from "effect"
import { actorPatience } from "../schedules.js"
import { stacked } from "../stacked.js"

const config = ShardingConfig.layer({
  shardsPerGroup: 64,
  entityTerminationTimeout: actorPatience,
  // There is no other runner whose coming could be noticed, and no store with messages: these looks find nothing.
  refreshAssignmentsInterval: "1 minute",
  entityMessagePollInterval: "1 minute"
})

export const singleProcess = stacked((upon, nothing) =>
  nothing.pipe(
    upon(config),
    upon(MessageStorage.layerNoop),
    upon(RunnerStorage.layerMemory),
    upon(RunnerHealth.layerNoop),
    upon(Runners.layerNoop),
    upon(Sharding.layer),
    Effect.map(Context.pick(ShardingConfig.ShardingConfig, MessageStorage.MessageStorage, Sharding.Sharding))
  )
)
