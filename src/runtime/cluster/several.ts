/** One of several processes: the address book in the database, and a way to the others. */
import { RunnerAddress, Runners, type Sharding, ShardingConfig, SocketRunner } from "@effect/cluster"
import { RpcSerialization } from "@effect/rpc"
import type { SqlClient } from "@effect/sql"
import { Effect, Layer, Option } from "effect"
import type { JournalUnavailable } from "../../core/index.js"
import { addressOf, type ClusterSettings, type ClusterUnusable, shards } from "../config/cluster.js"
import { actorPatience } from "../schedules.js"
import { clusterKey } from "./key.js"
import { layerMessages } from "./messages.js"
import { Reached, reach } from "./reach.js"
import * as Storage from "./storage.js"
import { clientProtocol, reached, socketServer } from "./wire.js"

/**
 * Ready when it listens; it is given resources within a second or two. When the scope closes, the others have them at once. `owner`: this
 * process's name, for people.
 */
export const severalProcesses = (
  settings: ClusterSettings,
  owner: string
): Layer.Layer<
  Sharding.Sharding | Storage.Member | Reached,
  ClusterUnusable | JournalUnavailable,
  SqlClient.SqlClient
> =>
  Layer.unwrapEffect(
    Effect.map(clusterKey, (key) => {
      const config = ShardingConfig.layer({
        runnerAddress: Option.some(RunnerAddress.make(settings.host, settings.port)),
        shardsPerGroup: shards,
        shardLockExpiration: settings.takeover,
        refreshAssignmentsInterval: "500 millis",
        runnerHealthCheckInterval: "5 seconds",
        entityTerminationTimeout: actorPatience,
        // Of messages that are stored: there are none, but their ids go then (`messages.ts`). The loop that acquires shards waits as long after a
        // failure.
        entityMessagePollInterval: "1 second",
        simulateRemoteSerialization: false
      })
      const server = socketServer(settings, key)
      const client = Layer.provide(clientProtocol(key), RpcSerialization.layerMsgPack)
      const shared = Layer.mergeAll(layerMessages, Storage.layer(settings, owner), config, Reached.layer)
      const health = reach(settings).pipe(Layer.provide(Layer.provide(Runners.layerRpc, client)))
      return SocketRunner.layer.pipe(
        Layer.merge(Layer.effectDiscard(reachable(settings, key)).pipe(Layer.provide(server))),
        Layer.provide(Layer.mergeAll(server, client, RpcSerialization.layerMsgPack, health)),
        Layer.provideMerge(shared)
      )
    })
  )

/** An address at which this process is not to be reached would leave the others waiting for it. */
const reachable = ({ host, port }: ClusterSettings, key: Parameters<typeof reached>[2]) =>
  reached(host, port, key).pipe(
    Effect.zipRight(Effect.logInfo(`One of several processes: the others reach it at ${addressOf({ host, port })}`)),
    Effect.catchAll((error) => Effect.logError(error.message))
  )
