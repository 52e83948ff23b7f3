/**
 * What a RabbitMQ remembers: virtual hosts with their queues, users with their permissions, who is connected; and the switches by which
 * a test makes it misbehave.
 */
import type { Header } from "./frames.js"
import { type Consumer, enqueue, makeQueue, pump, type Queue } from "./queue.js"
import { realTimers, type Timers } from "./timers.js"

/** Regular expressions on names of queues, as RabbitMQ has them; `^$` is nothing. */
export interface Permissions {
  readonly configure: string
  readonly write: string
  readonly read: string
}
export const everything: Permissions = { configure: ".*", write: ".*", read: ".*" }
/** What Waldur gives the user of a subscription. */
export const readOnly: Permissions = { configure: "^$", write: "^$", read: ".*" }

interface User {
  passcode: string
  readonly permissions: Map<string, Permissions>
}

/** Properties of a published message; absent ones are absent in the MESSAGE frame. Application headers that are no text or integer are dropped. */
export interface Properties {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly persistent?: boolean
  readonly priority?: number
  readonly correlationId?: string
  readonly replyTo?: string
  readonly expiration?: string
  readonly messageId?: string
  readonly timestamp?: number
  readonly type?: string
  readonly userId?: string
  readonly appId?: string
}

/** Of a connected client, as the broker needs it. */
export interface Connection {
  readonly login: () => string | undefined
  readonly vhost: () => string | undefined
  /** Ends as after an AMQP error: close 1000, "STOMP died". */
  readonly die: (reason: string) => void
  /** The network is gone. */
  readonly cut: () => void
}

/** All may be changed at any time. */
export interface Behaviour {
  /** An AMQP error sends an ERROR frame before the close: as newer brokers may (rabbitmq-server issue 6737). */
  errorBeforeClose: boolean
  /** `web_stomp.ws_frame`: text, the default, or binary. */
  binaryFrames: boolean
  /** Nothing is read or sent any more, and nothing is closed: a network that is dead without saying so. */
  silent: boolean
  /** Upgrades are answered with this HTTP status, as by a proxy whose broker is away. */
  refuseUpgrade: number | undefined
  /** ms after a client's last byte until its socket is closed (recordings 054, 056, 057). */
  idleLimit: number
}

/** What a client said, for tests. Without the headers of CONNECT, where the passcode is. */
export interface Heard {
  readonly command: string
  readonly headers: ReadonlyArray<Header>
}

export interface Counts {
  readonly ready: number
  readonly unacked: number
  readonly consumers: number
}

const text = (name: string, value: unknown): ReadonlyArray<Header> =>
  typeof value === "string" || Number.isInteger(value) ? [[name, String(value)]] : []

const byName = ([a]: Header, [b]: Header): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** In the order of recording 002. */
const headersOf = (properties: Properties): ReadonlyArray<Header> => [
  ...Object.entries(properties.headers ?? {})
    .flatMap(([name, value]) => text(name, value))
    .sort(byName),
  ...text("app-id", properties.appId),
  ...text("user-id", properties.userId),
  ...text("type", properties.type),
  ...text("timestamp", properties.timestamp),
  ...text("amqp-message-id", properties.messageId),
  ...text("expiration", properties.expiration),
  ...text("reply-to", properties.replyTo === undefined ? undefined : `/reply-queue/${properties.replyTo}`),
  ...text("correlation-id", properties.correlationId),
  ...text("priority", properties.priority),
  ...text("persistent", properties.persistent === true ? "true" : undefined),
  ...text("content-encoding", properties.contentEncoding),
  ...text("content-type", properties.contentType)
]

export const makeBroker = (timers: Timers = realTimers) => {
  const vhosts = new Map<string, Map<string, Queue>>()
  const users = new Map<string, User>()
  const connections = new Set<Connection>()
  const heard: Array<Heard> = []
  const behaviour: Behaviour = {
    errorBeforeClose: false,
    binaryFrames: false,
    silent: false,
    refuseUpgrade: undefined,
    idleLimit: 60_000
  }
  const queueOf = (vhost: string, name: string): Queue | undefined => vhosts.get(vhost)?.get(name)

  const cancelAll = (queue: Queue): void => {
    const consumers: ReadonlyArray<Consumer> = queue.consumers
    queue.consumers = []
    queue.ready = []
    for (const consumer of consumers) consumer.cancelled()
  }

  const publish = (vhost: string, name: string, body: string | Buffer, properties: Properties = {}): boolean => {
    const queue = queueOf(vhost, name)
    if (queue === undefined) return false
    enqueue(queue, {
      body: typeof body === "string" ? Buffer.from(body) : body,
      headers: headersOf(properties),
      persistent: properties.persistent === true
    })
    pump(queue)
    return true
  }

  return {
    timers,
    behaviour,
    connections,
    heard,
    queueOf,
    hasVhost: (vhost: string): boolean => vhosts.has(vhost),
    /** False: it was there. */
    addVhost: (vhost: string): boolean => {
      if (vhosts.has(vhost)) return false
      vhosts.set(vhost, new Map())
      return true
    },
    /** Subscriptions are cancelled one by one, and then the connections die (recording 028). */
    deleteVhost: (vhost: string): boolean => {
      for (const queue of vhosts.get(vhost)?.values() ?? []) cancelAll(queue)
      for (const connection of [...connections]) if (connection.vhost() === vhost) connection.die("vhost deleted")
      return vhosts.delete(vhost)
    },
    /** Also sets the passcode of one that is there. */
    addUser: (login: string, passcode: string): void => {
      const known = users.get(login)
      if (known === undefined) users.set(login, { passcode, permissions: new Map() })
      else known.passcode = passcode
    },
    deleteUser: (login: string): boolean => {
      for (const connection of [...connections]) if (connection.login() === login) connection.die("user deleted")
      return users.delete(login)
    },
    isUser: (login: string, passcode: string): boolean => users.get(login)?.passcode === passcode,
    permit: (login: string, vhost: string, permissions: Permissions): void => {
      users.get(login)?.permissions.set(vhost, permissions)
    },
    /** Connections that are open go on as they were (recording 027). */
    forbid: (login: string, vhost: string): void => {
      users.get(login)?.permissions.delete(vhost)
    },
    mayEnter: (login: string, vhost: string): boolean =>
      vhosts.has(vhost) && users.get(login)?.permissions.has(vhost) === true,
    may: (login: string, vhost: string, what: keyof Permissions, queue: string): boolean =>
      new RegExp(users.get(login)?.permissions.get(vhost)?.[what] ?? "^$").test(queue),
    declareQueue: (
      vhost: string,
      name: string,
      options: { readonly durable?: boolean; readonly deadLetterTo?: string } = {}
    ): "made" | "there" | "unequal" | "no vhost" => {
      const queues = vhosts.get(vhost)
      const durable = options.durable ?? true
      const known = queues?.get(name)
      if (known !== undefined) return known.durable === durable ? "there" : "unequal"
      if (queues === undefined) return "no vhost"
      queues.set(name, makeQueue(name, durable, options.deadLetterTo))
      return "made"
    },
    /** Whoever consumes it is told, and stays connected (recording 025). False: there was none. */
    deleteQueue: (vhost: string, name: string): boolean => {
      const queue = queueOf(vhost, name)
      if (queue === undefined) return false
      vhosts.get(vhost)?.delete(name)
      cancelAll(queue)
      return true
    },
    /** Into the queue of that name, as the default exchange does. False: there is none, and the message is lost. */
    publish,
    counts: (vhost: string, name: string): Counts | undefined => {
      const queue = queueOf(vhost, name)
      return queue === undefined
        ? undefined
        : { ready: queue.ready.length, unacked: queue.unacked.size, consumers: queue.consumers.length }
    },
    /** Cuts every connection. What was unacknowledged is back in its queue. */
    cutAll: (): void => {
      for (const connection of [...connections]) connection.cut()
    },
    /** As a stop or a crash does it: connections are cut, and transient messages are gone (recordings 061, 062). */
    restart: (): void => {
      for (const connection of [...connections]) connection.cut()
      for (const queues of vhosts.values()) {
        for (const [name, queue] of queues) {
          if (queue.durable) queue.ready = queue.ready.filter((message) => message.persistent)
          else queues.delete(name)
        }
      }
    }
  }
}

export type Broker = ReturnType<typeof makeBroker>
