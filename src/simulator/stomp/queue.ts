/** A queue: what is ready, who consumes it, and what goes back. All at one instant, as a broker's queue process does it. */
import type { Header } from "./frames.js"

export interface Message {
  /** Its place in the queue: what goes back, goes back there. */
  readonly sequence: number
  readonly body: Buffer
  /** As MESSAGE frames show them: the application's, then the properties. */
  readonly headers: ReadonlyArray<Header>
  readonly persistent: boolean
  readonly redelivered: boolean
}

export interface Consumer {
  /** Most unacknowledged messages at once; 0: any number. */
  readonly prefetch: number
  readonly unacked: Set<Message>
  readonly deliver: (message: Message) => void
  /** The queue is gone. */
  readonly cancelled: () => void
}

export interface Queue {
  readonly name: string
  readonly durable: boolean
  /** Name of the queue that gets what is rejected for good. */
  readonly deadLetterTo: string | undefined
  ready: ReadonlyArray<Message>
  consumers: ReadonlyArray<Consumer>
  /** Delivered and not acknowledged, of consumers that are gone as well. */
  readonly unacked: Set<Message>
  next: number
}

export const makeQueue = (name: string, durable: boolean, deadLetterTo?: string): Queue => ({
  name,
  durable,
  deadLetterTo,
  ready: [],
  consumers: [],
  unacked: new Set(),
  next: 0
})

export const enqueue = (queue: Queue, message: Omit<Message, "sequence" | "redelivered">): void => {
  queue.ready = [...queue.ready, { ...message, sequence: queue.next++, redelivered: false }]
}

/** Back to its old place (recordings 009, 010). */
export const requeue = (queue: Queue, message: Message): void => {
  queue.unacked.delete(message)
  queue.ready = [...queue.ready, { ...message, redelivered: true }].toSorted((a, b) => a.sequence - b.sequence)
}

const hasRoom = ({ prefetch, unacked }: Consumer): boolean => prefetch === 0 || unacked.size < prefetch

/** Hands out what is ready, in turn to the consumers that have room (recording 030). */
export const pump = (queue: Queue): void => {
  while (true) {
    const [message, ...later] = queue.ready
    const consumer = queue.consumers.find(hasRoom)
    if (message === undefined || consumer === undefined) return
    queue.ready = later
    queue.consumers = [...queue.consumers.filter((other) => other !== consumer), consumer]
    consumer.deliver(message)
  }
}
