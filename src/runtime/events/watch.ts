/** The consumers of an offering, and how often to look into Waldur's queue beside them. */
import { Effect, Option, Queue, Stream, SubscriptionRef } from "effect"
import { brokerUrl, type Consumer, makeConsumer, type WaldurEvent } from "../../waldur/index.js"
import type { Config, OfferingConfig } from "../config/index.js"
import type { Offering } from "../offerings/offering.js"
import { Standings } from "../offerings/standing.js"
import type { Pace } from "../orders/source.js"
import { mendProbe } from "../schedules.js"
import { orderEvent } from "./orders.js"

/** Never fails: without events there is polling. Ends with the scope. */
export const watchEvents = (config: Config, offering: OfferingConfig, opened: Offering) =>
  Effect.gen(function* () {
    const wakes = yield* Queue.sliding<void>(1)
    const wake = Effect.asVoid(Queue.offer(wakes, undefined))
    let consumer: Consumer | undefined
    const pace: Pace = {
      interval: config.pollInterval,
      slow: config.eventsPollInterval,
      wakes,
      told: Effect.suspend(() => (consumer === undefined ? Effect.succeed(false) : isTold(consumer)))
    }
    if (!offering.events.enabled) return pace
    const { host, path, port, tls } = offering.events
    const place = {
      tls,
      host: Option.getOrUndefined(host),
      port: Option.getOrUndefined(port),
      path: Option.getOrUndefined(path)
    }
    const handle = ({ order }: WaldurEvent) => (order === undefined ? Effect.void : orderEvent(opened, order, wake))
    yield* makeConsumer({
      objectType: "order",
      url: brokerUrl(offering.waldur.apiUrl, place),
      transport: offering.waldur,
      queue: opened.waldur.eventQueue(offering.id, "order"),
      handle
    }).pipe(
      Effect.tapError((error) => Effect.logError(`No events: ${error.message}`)),
      Effect.retry(mendProbe),
      Effect.tap((made) => Effect.flatMap(Standings, (standings) => standings.consumes(offering.id, made))),
      Effect.tap((made) => {
        consumer = made
        return wakeAtChange(made, wake)
      }),
      Effect.forkScoped
    )
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
