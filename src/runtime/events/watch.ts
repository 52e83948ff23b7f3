/** The consumers of an offering, and how often to look into Waldur's queue beside them. */
import { Effect, Option, Ref, Stream, SubscriptionRef } from "effect"
import type { OfferingFault } from "../../core/index.js"
import {
  brokerUrl,
  type Consumer,
  defaultTiming,
  type EventQueue,
  type Heard,
  isBrokerAway,
  makeConsumer,
  type WaldurError
} from "../../waldur/index.js"
import type { Config, OfferingConfig } from "../config/index.js"
import type { Offering } from "../offerings/offering.js"
import { Standings } from "../offerings/standing.js"
import { makeNexts } from "../queue/nexts.js"
import type { Pace } from "../queue/source.js"
import { mendProbe } from "../schedules.js"
import { type Handler, handlersOf, type Listeners } from "./handlers.js"
import { brokerPlace } from "./place.js"

/** Never fails: without events there is polling. Ends with the scope. */
export const watchEvents = (
  config: Config,
  offering: OfferingConfig,
  opened: Offering,
  listeners: Omit<Listeners, "next">
) =>
  Effect.gen(function* () {
    const standings = yield* Standings
    const nexts = yield* makeNexts
    yield* standings.wakes(offering.id, nexts.addWhole)
    const told = yield* Ref.make<Option.Option<Consumer>>(Option.none())
    const consume = (
      objectType: Heard,
      handle: Handler,
      queue: AskedQueue,
      { prefetch, renewed }: { readonly prefetch?: number; readonly renewed?: (login: string) => AskedQueue } = {}
    ) =>
      makeConsumer({
        objectType,
        url: brokerUrl(offering.waldur.apiUrl, brokerPlace(offering)),
        transport: offering.waldur,
        queue,
        handle,
        renewed,
        ...(prefetch === undefined ? {} : { prefetch })
      }).pipe(
        Effect.tapError((error) => Effect.logError(`No events: ${error.message}`)),
        Effect.retry(mendProbe),
        Effect.tap((consumer) => standings.consumes(offering.id, consumer)),
        Effect.tap((consumer) =>
          objectType === "order" || (objectType === "any" && offering.functions.orders)
            ? Effect.zipRight(Ref.set(told, Option.some(consumer)), wakeAtChange(consumer, nexts.addWhole))
            : Effect.void
        ),
        Effect.annotateLogs({ part: "events" }),
        Effect.forkScoped
      )
    const { waldur } = opened
    if (offering.events.enabled) {
      const handlers = yield* handlersOf(offering, opened, { ...listeners, next: nexts.add })
      const types = handlers.map(([type]) => type)
      // None asked for would mean all of them.
      const one = waldur.oneEventQueue(offering.id, types)
      const each = Effect.forEach(handlers, ([type, handle]) =>
        consume(type, handle, waldur.eventQueue(offering.id, type), {
          renewed: (login) => waldur.eventQueue(offering.id, type, login)
        })
      )
      const all: Handler = (event) => handlers.find(([type]) => type === event.objectType)?.[1](event) ?? Effect.void
      const consumers = Effect.forkScoped(
        Effect.if(Effect.annotateLogs(hasOneQueue(one), { part: "events" }), {
          // As many as all types together would have.
          onTrue: () => consume("any", all, one, { prefetch: defaultTiming.prefetch * types.length }),
          onFalse: () => each
        })
      )
      yield* Effect.when(consumers, () => types.length > 0)
    }
    const pace: Pace = {
      interval: config.pollInterval,
      slow: config.eventsPollInterval,
      nexts,
      told: Effect.flatMap(Ref.get(told), Option.match({ onNone: () => Effect.succeed(false), onSome: isTold }))
    }
    return pace
  })

type AskedQueue = Effect.Effect<EventQueue, WaldurError | OfferingFault>

/**
 * Whether Waldur has one queue for all types. Newer servers do, older ones have no such call; whatever else stands in the way of it (it is another
 * user's) does not stand in the way of a queue for each type. Asked until there is an answer.
 */
const hasOneQueue = (one: AskedQueue): Effect.Effect<boolean> =>
  one.pipe(
    Effect.as(true),
    Effect.retry({ schedule: mendProbe, while: isAway }),
    Effect.catchAll((error) =>
      Effect.as(Effect.logDebug(`No queue for all types of events, so there is one for each: ${error.message}`), false)
    )
  )

/** Nobody knows yet: there was no answer, or one of whatever stands before a server that restarts. */
const isAway = (error: WaldurError | OfferingFault): boolean =>
  error._tag === "WaldurUnreachable" ||
  error._tag === "WaldurTimedOut" ||
  error._tag === "WaldurRateLimited" ||
  isBrokerAway(error) ||
  (error._tag === "WaldurServerError" && error.status > 500)

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
