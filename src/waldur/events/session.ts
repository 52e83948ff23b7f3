/**
 * One connection to the broker, from connecting to its end. It always ends, with a reason: whatever the broker does or does not do, it
 * never looks alive while it is not.
 *
 * | the broker | what tells |
 * |---|---|
 * | refuses the login, cancels the subscription, says any ERROR and leaves the socket open | the ERROR frame |
 * | does not know the queue, forbids it, loses the user: closes with 1000 "STOMP died" | the close |
 * | accepts the socket and says nothing more | `Timing.connect` |
 * | falls silent | two heart-beats that do not come |
 * | goes away, restarts, is refused by a proxy | the socket's error |
 */
import { Client, type IFrame, type IMessage } from "@stomp/stompjs"
import { Data, Deferred, Duration, Effect, Queue, Redacted, type Scope } from "effect"
import { inMegabytes, lengthHeader } from "./oversized.js"
import type { Sockets } from "./socket.js"
import type { EventQueue, Timing } from "./types.js"

export class SessionEnded extends Data.TaggedError("SessionEnded")<{
  readonly reason: string
  /** The broker let nobody in by this login, or not to this queue: Waldur should be asked for it anew. */
  readonly refused: "login" | "queue" | undefined
  /** The same will come of connecting again, until somebody has looked after the broker. */
  readonly lasting: boolean
}> {}

export interface Delivery {
  readonly bytes: Uint8Array
  /** It is too large to be one of Waldur's: so many bytes, of which only the headers were read. */
  readonly leftOut: number | undefined
  readonly redelivered: boolean
  /** Does nothing once the session has ended: a later acknowledgement might count for another message (recording 040). */
  readonly acknowledge: Effect.Effect<void>
}

export interface Session {
  readonly deliveries: Queue.Dequeue<Delivery>
  readonly ended: Effect.Effect<never, SessionEnded>
}

export interface SessionOptions {
  readonly queue: EventQueue
  readonly sockets: Sockets
  readonly timing: Timing
}

/** Of what came from outside: one line, no control characters, and no passcode. */
const plain = (text: string, passcode: string): string =>
  text
    // An empty one stands between all letters.
    .replaceAll(passcode === "" ? "\0" : passcode, "***")
    .trim()
    .replace(/\p{Cc}+/gu, " ")
    .slice(0, 400)

/** Of `ws`: a message that is larger than it may take. */
const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"

const errorText = (error: unknown): string => {
  if (!(error instanceof Error)) return "the connection failed"
  return "code" in error && typeof error.code === "string" ? error.code : error.message
}

const closeText = (code: number, reason: string, isReady: boolean): string => {
  if (reason !== "STOMP died") return `The broker closed the connection (${code}${reason === "" ? "" : `, ${reason}`}).`
  return isReady
    ? 'The broker ended the session ("STOMP died"): its queue or user may be gone.'
    : 'The broker ended the session ("STOMP died") when it was asked for the queue: it does not exist, or may not be read.'
}

const tooLarge = ({ name, vhost }: EventQueue, { largestMessage }: Timing): string =>
  `The broker has a message of more than ${inMegabytes(largestMessage)} in the queue ${name}, and gives nothing behind it: ` +
  `remove it there (rabbitmqctl purge_queue --vhost ${vhost} ${name}). Until then orders are found by polling.`

/** Connected and subscribed; the socket is cut with the scope. */
export const openSession = ({
  queue,
  sockets,
  timing
}: SessionOptions): Effect.Effect<Session, SessionEnded, Scope.Scope> =>
  Effect.gen(function* () {
    const passcode = Redacted.value(queue.passcode)
    const deliveries = yield* Queue.unbounded<Delivery>()
    const ready = yield* Deferred.make<void, SessionEnded>()
    const ended = yield* Deferred.make<never, SessionEnded>()
    const state = { over: false, isIn: false, ready: false }
    const end = (
      reason: string,
      { lasting = false, refused }: { readonly lasting?: boolean; readonly refused?: SessionEnded["refused"] } = {}
    ): void => {
      state.over = true
      const failure = Effect.fail(new SessionEnded({ reason: plain(reason, passcode), refused, lasting }))
      Deferred.unsafeDone(ready, failure)
      Deferred.unsafeDone(ended, failure)
    }

    const take = (message: IMessage): void => {
      if (state.over) return
      Queue.unsafeOffer(deliveries, {
        bytes: message.binaryBody,
        leftOut: lengthHeader in message.headers ? Number(message.headers[lengthHeader]) : undefined,
        redelivered: message.headers.redelivered === "true",
        acknowledge: Effect.sync(() => {
          if (!state.over && client.connected) message.ack()
        })
      })
    }
    const subscribe = ({ headers }: IFrame) => {
      state.isIn = true
      // Without beats of the broker nobody would notice that it has fallen silent.
      if ((headers["heart-beat"] ?? "").split(",")[0] === "0") return end("The broker does not send heart-beats.")
      client.watchForReceipt("subscribed", () => {
        state.ready = true
        Deferred.unsafeDone(ready, Effect.void)
      })
      client.subscribe(`/amq/queue/${queue.name}`, take, {
        ack: "client-individual",
        "prefetch-count": String(timing.prefetch),
        receipt: "subscribed"
      })
    }

    const client = new Client({
      webSocketFactory: () => sockets.open(timing),
      connectHeaders: { host: queue.vhost, login: queue.login, passcode },
      heartbeatIncoming: timing.heartBeat,
      heartbeatOutgoing: timing.heartBeat,
      // Connecting again is the consumer's: a session has one connection.
      reconnectDelay: 0,
      discardWebsocketOnCommFailure: true,
      onConnect: subscribe,
      onStompError: ({ body, headers }) =>
        end(`The broker says: ${headers.message ?? "error"}. ${body}`, { refused: state.isIn ? "queue" : "login" }),
      onHeartbeatLost: () => end(`The broker gave no sign of life for ${(2 * timing.heartBeat) / 1000} s.`),
      onWebSocketError: ({ error }: { readonly error?: unknown }) => {
        if (isTooLarge(error)) return end(tooLarge(queue, timing), { lasting: true })
        end(`The broker cannot be reached${sockets.throughProxy ? " through the proxy" : ""}: ${errorText(error)}.`)
      },
      onWebSocketClose: ({ code, reason }: { readonly code: number; readonly reason: string }) =>
        end(closeText(code, reason, state.ready), { refused: reason === "STOMP died" ? "queue" : undefined })
    })
    yield* Effect.acquireRelease(
      Effect.sync(() => client.activate()),
      () =>
        Effect.suspend(() => {
          state.over = true
          return Effect.promise(() => client.deactivate({ force: true }))
        })
    )
    yield* Effect.timeoutFail(Deferred.await(ready), {
      duration: Duration.millis(timing.connect),
      onTimeout: () =>
        new SessionEnded({
          reason: `The broker did not answer within ${timing.connect / 1000} s.`,
          refused: undefined,
          lasting: false
        })
    })
    return { deliveries, ended: Deferred.await(ended) }
  })
