/** What is spoken of in this room: object types, a queue and how to get at it, an event, how a consumer fares. */
import type { Redacted } from "effect"

/** What Waldur tells of; each has a queue of its own for each offering. */
export const objectTypes = [
  "order",
  "user_role",
  "resource",
  "offering_user",
  "service_account",
  "course_account",
  "importable_resources",
  "offering_resources_sync"
] as const
export type ObjectType = (typeof objectTypes)[number]

/** What a queue holds: one type, or any of those that Waldur was asked to put into it. */
export type Heard = ObjectType | "any"

/** A queue of the broker, and whom it lets read. */
export interface EventQueue {
  /** The uuid of the agent's user. */
  readonly vhost: string
  /** The uuid of the subscription; of the one queue for all types, a login of its own. */
  readonly login: string
  readonly passcode: Redacted.Redacted
  readonly name: string
}

/** Where the broker is, as the configuration has it; what is absent follows from Waldur's address. */
export interface BrokerPlace {
  readonly tls: boolean
  readonly host: string | undefined
  readonly port: number | undefined
  readonly path: string | undefined
}

/** A hint that something changed, never what it is now: that is what the API answers. */
export interface WaldurEvent {
  readonly objectType: ObjectType
  /** What it is about, as far as the type has it: always one for `order` (its order), `resource` and `user_role` (its project). */
  readonly order: string | undefined
  /** What the order was when the event was sent: never what it is, but enough to know that it is not worth a look. */
  readonly orderState: string | undefined
  readonly resource: string | undefined
  readonly project: string | undefined
  readonly user: string | undefined
  /** It was given out before, and not acknowledged. */
  readonly redelivered: boolean
}

/** How a consumer fares. Instants in ms since 1970. Nothing secret in it. */
export interface ConsumerStatus {
  readonly objectType: Heard
  /** Connected and subscribed since then; `undefined`: it is not. */
  readonly connectedSince: number | undefined
  /** Not connected since then, however often it was tried. */
  readonly downSince: number | undefined
  /** Why it is not connected, or was not the last time. */
  readonly reason: string
  /** False: this Waldur has no such calls. Not a fault. */
  readonly supported: boolean
  /** How often it was connected again. */
  readonly reconnects: number
  readonly events: number
  readonly lastEvent: number | undefined
  /** Messages that could not be read: acknowledged, and gone. */
  readonly unreadable: number
  /** Events in hand that are not acknowledged yet. At `prefetch` the broker gives no more. */
  readonly held: number
}

export interface Timing {
  /** ms between two heart-beats, both ways. Twice that without one from the broker, and the connection is given up. */
  readonly heartBeat: number
  /** ms for connecting and subscribing. */
  readonly connect: number
  /** ms between two attempts: the first pause, doubling, up to the longest, all jittered by a third. */
  readonly firstPause: number
  readonly longestPause: number
  /** A connection that lasted so many ms was a good one: the next pause is the first again. */
  readonly stable: number
  /** ms until a Waldur without events is asked again, or a broker of which an operator has to remove something. */
  readonly unsupportedPause: number
  /** Most events in hand at once. */
  readonly prefetch: number
  /** Bytes of a message at most, read or not. A connection ends with a larger one, and it comes again with the next. */
  readonly largestMessage: number
}

export const defaultTiming: Timing = {
  heartBeat: 10_000,
  connect: 15_000,
  firstPause: 500,
  longestPause: 30_000,
  stable: 30_000,
  unsupportedPause: 600_000,
  prefetch: 20,
  // What RabbitMQ takes by default: 128 MB before release 4, then 16; and some for its headers.
  largestMessage: 129 * 1024 * 1024
}
