/** Whether events can be had: connects, logs in, subscribes and leaves again. For `site-actors check`. */
import { Effect } from "effect"
import type { OfferingFault } from "../../core/errors.js"
import type { TransportOptions } from "../http/transport.js"
import { openSession } from "./session.js"
import { makeSockets } from "./socket.js"
import { defaultTiming, type EventQueue, type Timing } from "./types.js"

export interface EventsFound {
  readonly ok: boolean
  /** One line: where it was tried, what came of it, and which key of the file to look at. */
  readonly detail: string
}

export interface EventsProbe {
  /** `wss://waldur.example.com/rmqws-stomp` */
  readonly url: string
  readonly transport: TransportOptions
  readonly queue: EventQueue
  /** Default: the consumer's, with 10 s for connecting. */
  readonly timing?: Timing
}

/** What the reason for the end of a session says of the configuration; the first that fits. */
const hints: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /through the proxy: .*(ECONN|ENOTFOUND|EAI_AGAIN|UNREACH|ETIMEDOUT|hang up|the proxy refuses)/,
    "Check global_proxy, stomp_ws_host and stomp_ws_port: it may be the proxy that cannot be reached, or that lets nobody through to there."
  ],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/, "Check stomp_ws_host and stomp_ws_port."],
  [/timed out|did not answer/i, "Check stomp_ws_host and stomp_ws_port, and whether a firewall lies between."],
  [/server response: 40[34]/i, "There is no broker at this path: check stomp_ws_path."],
  [/server response: 5\d\d/i, "There is a server in front of the broker, but the broker is away."],
  [
    /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|CERT_|ALTNAME|certificate/i,
    "The certificate is not trusted: name its authority in ca_file, or correct stomp_ws_host."
  ],
  [
    /EPROTO|SSL|WRONG_VERSION/i,
    "It does not speak TLS at this port: check stomp_ws_port, or set websocket_use_tls to false."
  ],
  [
    /ECONNRESET|hang up|server response: 400/i,
    "It may speak TLS at this port: check websocket_use_tls and stomp_ws_port."
  ],
  [
    /Bad CONNECT|Access refused|access denied/i,
    "Waldur's broker does not know this login: its event subscription may have been removed, or the API token is another user's."
  ],
  [/asked for the queue/i, "Waldur has made no such queue, or the broker does not let this user read it."]
]

const hintFor = (reason: string): string => {
  const hint = hints.find(([shape]) => shape.test(reason))?.[1]
  return hint === undefined ? "" : `${/[.!?]$/.test(reason) ? "" : "."} ${hint}`
}

/** Ends within twice `timing.connect`. What is in the queue stays there: what the broker hands out meanwhile goes back. */
export const probeEvents = ({
  queue,
  timing,
  transport,
  url
}: EventsProbe): Effect.Effect<EventsFound, OfferingFault> =>
  Effect.gen(function* () {
    const sockets = yield* makeSockets(url, transport)
    const session = openSession({
      sockets,
      queue,
      timing: { ...(timing ?? { ...defaultTiming, connect: 10_000 }), prefetch: 1 }
    })
    return yield* Effect.scoped(session).pipe(
      Effect.as({ ok: true, detail: `${url}: connected, logged in, subscribed to ${queue.name}.` }),
      Effect.catchTag("SessionEnded", ({ reason }) =>
        Effect.succeed({ ok: false, detail: `${url}: ${reason}${hintFor(reason)}` })
      )
    )
  })
