import {
  Entity,
  EntityAddress,
  EntityId,
  Message,
  MessageStorage,
  RunnerAddress,
  RunnerHealth,
  RunnerStorage,
  Runners,
  Sharding,
  ShardingConfig
} from "@effect/cluster"
import * as Headers from "@effect/platform/Headers"
import { Rpc } from "@effect/rpc"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Option, TestClock } from "effect"
import { layerMessages } from "./messages.js"

const Greeter = Entity.make("Greeter", [Rpc.make("Greet")])

/** One process that has all shards. Gives how often it has greeted, and a way to send it the message of one id. */
const greeter = (messages: Layer.Layer<MessageStorage.MessageStorage>) =>
  Effect.gen(function* () {
    let greeted = 0
    const config = ShardingConfig.layer({
      runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", 1)),
      shardsPerGroup: 1,
      entityMessagePollInterval: "1 second"
    })
    const sharding = Sharding.layer.pipe(
      Layer.provide([Runners.layerNoop, RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
      Layer.provide([messages, config])
    )
    const entity = Greeter.toLayer({
      Greet: () =>
        Effect.sync(() => {
          greeted += 1
        })
    })
    const built = yield* Layer.build(Layer.provideMerge(entity, Layer.provideMerge(sharding, config)))
    yield* TestClock.adjust("10 seconds")
    const service = Context.get(built, Sharding.Sharding)
    const entityId = EntityId.make("one")
    const address = EntityAddress.EntityAddress.make({
      entityId,
      entityType: Greeter.type,
      shardId: service.getShardId(entityId, "default")
    })
    const requestId = yield* service.getSnowflake
    const send = service.send(
      new Message.IncomingRequest({
        envelope: { _tag: "Request", requestId, address, tag: "Greet", payload: null, headers: Headers.empty },
        lastSentReply: Option.none(),
        respond: () => Effect.void
      })
    )
    return { send: Effect.exit(Effect.zipLeft(send, TestClock.adjust(1))), count: () => greeted }
  })

const isKnown = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) && String(exit.cause).includes("AlreadyProcessing")

describe("a message between processes", () => {
  it.scoped("is told from itself for a moment, and then no more is kept of it, not even its id", () =>
    Effect.gen(function* () {
      const { count, send } = yield* greeter(layerMessages)
      expect(Exit.isSuccess(yield* send)).toBe(true)
      expect(isKnown(yield* send)).toBe(true)
      yield* TestClock.adjust("2 seconds")
      expect(Exit.isSuccess(yield* send)).toBe(true)
      expect(count()).toBe(2)
    })
  )

  it.scoped(
    "leaves its id for ever where nothing is kept at all (if not any more: @effect/cluster has mended it)",
    () =>
      Effect.gen(function* () {
        const { count, send } = yield* greeter(MessageStorage.layerNoop)
        expect(Exit.isSuccess(yield* send)).toBe(true)
        yield* TestClock.adjust("10 seconds")
        expect(isKnown(yield* send)).toBe(true)
        expect(count()).toBe(1)
      })
  )
})
