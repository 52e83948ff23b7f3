/**
 * The consumer of one offering's events of one type. Supervised for ever: however a connection ends, there is another one after a pause,
 * and until then its status says why there is none.
 */
import { Cause, Clock, Effect, Either, FiberRef, Queue, Random, type Scope, SubscriptionRef } from "effect"
import type { OfferingFault } from "../../core/errors.js"
import { isUnsupported, type WaldurError } from "../errors.js"
import type { TransportOptions } from "../http/transport.js"
import { eventOf } from "./message.js"
import { inMegabytes } from "./oversized.js"
import { isBrokerAway } from "./registration.js"
import { type Delivery, openSession, SessionEnded } from "./session.js"
import { makeSockets } from "./socket.js"
import {
  type ConsumerStatus,
  defaultTiming,
  type EventQueue,
  type Heard,
  type Timing,
  type WaldurEvent
} from "./types.js"

/** Of every consumer that is made inside. For tests, which cannot wait for heart-beats of 10 s. */
export const eventTiming: FiberRef.FiberRef<Timing> = FiberRef.unsafeMake(defaultTiming)

export interface ConsumerOptions<R> {
  readonly objectType: Heard
  /** `wss://waldur.example.com/rmqws-stomp` */
  readonly url: string
  readonly transport: TransportOptions
  /** Asked before the first connection, and again after each that the broker refused. */
  readonly queue: Effect.Effect<EventQueue, WaldurError | OfferingFault>
  /** The same, once the broker has refused this login although Waldur had been asked again; `queue`, where it is left out. */
  readonly renewed?: ((login: string) => Effect.Effect<EventQueue, WaldurError | OfferingFault>) | undefined
  /** Most events in hand at once; what the timing says, where it is left out. */
  readonly prefetch?: number
  /** Does what the event asks for; it is acknowledged when this completes, and comes again if the connection ends before. */
  readonly handle: (event: WaldurEvent) => Effect.Effect<void, never, R>
}

export interface Consumer {
  readonly objectType: Heard
  readonly status: SubscriptionRef.SubscriptionRef<ConsumerStatus>
  readonly prefetch: number
}

/** Runs until the scope closes. Fails only for options that cannot work: a CA file that cannot be read, a proxy that is no URL. */
export const makeConsumer = <R>(options: ConsumerOptions<R>): Effect.Effect<Consumer, OfferingFault, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { objectType } = options
    const usual = yield* FiberRef.get(eventTiming)
    const timing: Timing = { ...usual, prefetch: options.prefetch ?? usual.prefetch }
    const sockets = yield* makeSockets(options.url, options.transport)
    const status = yield* SubscriptionRef.make<ConsumerStatus>({
      objectType,
      connectedSince: undefined,
      downSince: yield* Clock.currentTimeMillis,
      reason: "Not connected yet.",
      supported: true,
      reconnects: 0,
      events: 0,
      lastEvent: undefined,
      unreadable: 0,
      held: 0
    })
    const update = (change: (now: ConsumerStatus) => Partial<ConsumerStatus>) =>
      SubscriptionRef.update(status, (now) => ({ ...now, ...change(now) }))
    let queue: EventQueue | undefined
    let connections = 0
    /** The login that was refused last, and how often in a row. */
    let refused = { login: "", times: 0 }
    const asked = Effect.suspend(() =>
      refused.times > 1 && options.renewed !== undefined ? options.renewed(refused.login) : options.queue
    )

    const handled = ({ acknowledge, bytes, leftOut, redelivered }: Delivery) =>
      Effect.gen(function* () {
        const lastEvent = yield* Clock.currentTimeMillis
        yield* update(({ events, held }) => ({ events: events + 1, held: held + 1, lastEvent }))
        const event =
          leftOut === undefined
            ? eventOf(objectType, bytes, redelivered)
            : Either.left(`it has ${inMegabytes(leftOut)}, and Waldur's are small (queue ${queue?.name ?? ""})`)
        if (Either.isLeft(event)) {
          // Left alone it would come again for ever.
          const about = objectType === "any" ? "something" : `an ${objectType}`
          yield* Effect.logWarning(`A message about ${about} cannot be read, and is dropped: ${event.left}`)
          yield* update(({ unreadable }) => ({ unreadable: unreadable + 1 }))
        } else if (event.right !== undefined) {
          yield* options.handle(event.right)
        }
        yield* acknowledge
      }).pipe(
        // Not acknowledged: it comes again with the next connection.
        Effect.catchAllDefect((defect) => Effect.logError(`A bug in the handling of an event (${objectType})`, defect)),
        Effect.ensuring(update(({ held }) => ({ held: held - 1 })))
      )

    const connected = Effect.gen(function* () {
      queue ??= yield* asked
      const session = yield* openSession({ sockets, queue, timing })
      refused = { login: "", times: 0 }
      const connectedSince = yield* Clock.currentTimeMillis
      connections++
      yield* update(() => ({ connectedSince, downSince: undefined, supported: true, reconnects: connections - 1 }))
      yield* Effect.logInfo(`Events (${objectType}): connected`)
      yield* Effect.forkScoped(
        Effect.forever(
          Effect.flatMap(Queue.take(session.deliveries), (delivery) => Effect.forkScoped(handled(delivery)))
        )
      )
      return yield* session.ended
    }).pipe(Effect.scoped)

    /** Says in status and log why there is no connection; gives how long it was good. */
    const down = (reason: string, supported = true) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const before = yield* SubscriptionRef.getAndUpdate(status, (was) => ({
          ...was,
          connectedSince: undefined,
          downSince: was.downSince ?? now,
          held: 0,
          reason,
          supported
        }))
        const isNews = before.reason !== reason || before.connectedSince !== undefined
        yield* (isNews ? Effect.logWarning : Effect.logDebug)(`Events (${objectType}): ${reason}`)
        return before.connectedSince === undefined ? 0 : now - before.connectedSince
      })

    const ended = (cause: Cause.Cause<SessionEnded | WaldurError | OfferingFault>) =>
      Effect.gen(function* () {
        if (Cause.isInterruptedOnly(cause)) return yield* Effect.interrupt
        const failure = Cause.squash(cause)
        if (Cause.isDie(cause)) yield* Effect.logError(`A bug in the consumer of events (${objectType})`, cause)
        if (failure instanceof SessionEnded) {
          if (failure.refused === "login" && queue !== undefined)
            refused = { login: queue.login, times: refused.login === queue.login ? refused.times + 1 : 1 }
          if (failure.refused !== undefined) queue = undefined
          const lasted = yield* down(failure.reason)
          if (failure.lasting) yield* Effect.sleep(timing.unsupportedPause)
          return lasted
        }
        if (isMissing(failure) || (objectType !== "any" && isUnknownType(failure))) {
          yield* down(`This Waldur has no events${isMissing(failure) ? "" : ` of this type (${objectType})`}.`, false)
          yield* Effect.sleep(timing.unsupportedPause)
          return 0
        }
        return yield* down(Cause.isDie(cause) ? "A bug: see the log." : messageOf(failure))
      })

    let pause = timing.firstPause
    const again = Effect.gen(function* () {
      const lasted = yield* Effect.catchAllCause(connected, ended)
      if (lasted >= timing.stable) pause = timing.firstPause
      yield* Effect.sleep(pause * (yield* Random.nextRange(2 / 3, 4 / 3)))
      pause = Math.min(pause * 2, timing.longestPause)
    })
    yield* Effect.forkScoped(Effect.forever(again))
    return { objectType, status, prefetch: timing.prefetch }
  })

const messageOf = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure))

const isWaldurError = (failure: unknown): failure is WaldurError =>
  failure instanceof Error && "_tag" in failure && String(failure._tag).startsWith("Waldur")
const isMissing = (failure: unknown): boolean => isWaldurError(failure) && isUnsupported(failure)
/** 400 to the registration: an older Waldur that does not know the object type. */
const isUnknownType = (failure: unknown): boolean =>
  isWaldurError(failure) && failure._tag === "WaldurInvalid" && !isBrokerAway(failure)
