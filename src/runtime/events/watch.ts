/** The consumers of an offering, and how often to look into Waldur's queue beside them. */
import { Effect, Option, Queue, Ref, Stream, SubscriptionRef } from "effect"
import { brokerUrl, type Consumer, makeConsumer, type ObjectType } from "../../waldur/index.js"
import type { Config, OfferingConfig } from "../config/index.js"
import type { Offering } from "../offerings/offering.js"
import { Standings } from "../offerings/standing.js"
import type { Pace } from "../orders/source.js"
import { mendProbe } from "../schedules.js"
import { type Handler, handlersOf, type Listeners } from "./handlers.js"
import { brokerPlace } from "./place.js"

/** Never fails: without events there is polling. Ends with the scope. */
export const watchEvents = (
  config: Config,
  offering: OfferingConfig,
  opened: Offering,
  listeners: Omit<Listeners, "queue">
) =>
  Effect.gen(function* () {
    const standings = yield* Standings
    const wakes = yield* Queue.sliding<void>(1)
    const wake = Effect.asVoid(Queue.offer(wakes, undefined))
    yield* standings.wakes(offering.id, wake)
    const told = yield* Ref.make<Option.Option<Consumer>>(Option.none())
    const consume = ([objectType, handle]: readonly [ObjectType, Handler]) =>
      makeConsumer({
        objectType,
        url: brokerUrl(offering.waldur.apiUrl, brokerPlace(offering)),
        transport: offering.waldur,
        queue: opened.waldur.eventQueue(offering.id, objectType),
        handle
      }).pipe(
        Effect.tapError((error) => Effect.logError(`No events: ${error.message}`)),
        Effect.retry(mendProbe),
        Effect.tap((consumer) => standings.consumes(offering.id, consumer)),
        Effect.tap((consumer) =>
          objectType === "order"
            ? Effect.zipRight(Ref.set(told, Option.some(consumer)), wakeAtChange(consumer, wake))
            : Effect.void
        ),
        Effect.annotateLogs({ part: "events" }),
        Effect.forkScoped
      )
    if (offering.events.enabled) {
      const handlers = yield* handlersOf(offering, opened, { ...listeners, queue: wake })
      yield* Effect.forEach(handlers, consume)
    }
    const pace: Pace = {
      interval: config.pollInterval,
      slow: config.eventsPollInterval,
      wakes,
      told: Effect.flatMap(Ref.get(told), Option.match({ onNone: () => Effect.succeed(false), onSome: isTold }))
    }
    return pace
  })

/** Full hands hear of nothing more. */
const isTold = ({ prefetch, status }: Consumer) =>
  Effect.map(SubscriptionRef.get(status), ({ connectedSince, held }) => connectedSince !== undefined && held < prefetch)

/** A look as soon as it is connected, for what was told to nobody, and as soon as it is not. */
const wakeAtChange = ({ status }: Consumer, wake: Effect.Effect<void>) =>
  status.changes.pipe(
    Stream.map(({ connectedSince }) => connectedSince),
    Stream.changes,
    Stream.drop(1),
    Stream.runForEach(() => wake)
  )
