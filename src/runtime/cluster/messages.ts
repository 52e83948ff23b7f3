/** Keeps no message: an order that was not taken is still in Waldur, and whoever sent what was lost sends it again. */
import { MessageStorage } from "@effect/cluster"
import { Effect, Layer } from "effect"

/**
 * Like `MessageStorage.layerNoop`, but looked into once each `entityMessagePollInterval`. @effect/cluster 0.60.2 keeps the id of each message
 * that an entity has answered until the next such look (`clearProcessed` in its `internal/entityManager.ts`, called by `Sharding.ts`), and where
 * there is none, for ever: 10,000 teams that are synchronised every quarter of an hour are a million ids a day.
 */
export const layerMessages: Layer.Layer<MessageStorage.MessageStorage> = Layer.effect(
  MessageStorage.MessageStorage,
  Effect.suspend(() =>
    MessageStorage.make({
      saveRequest: () => Effect.succeed(MessageStorage.SaveResult.Success()),
      saveEnvelope: () => Effect.void,
      saveReply: () => Effect.void,
      clearReplies: () => Effect.void,
      repliesFor: () => Effect.succeed([]),
      repliesForUnfiltered: () => Effect.succeed([]),
      requestIdForPrimaryKey: () => Effect.succeedNone,
      unprocessedMessages: () => Effect.succeed([]),
      unprocessedMessagesById: () => Effect.succeed([]),
      resetAddress: () => Effect.void,
      clearAddress: () => Effect.void,
      resetShards: () => Effect.void
    })
  )
)
