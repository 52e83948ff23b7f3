/** Destinations, what a SEND frame becomes, and where rejected messages go. */
import type { Broker, Properties } from "./broker.js"
import { type Frame, headerOf } from "./frames.js"
import type { Message, Queue } from "./queue.js"

/** `/amq/queue/` names a queue that must be there; `/queue/` makes one, which stays (recordings 021, 022). */
export const namedIn = (destination: string): { readonly queue: string; readonly declares: boolean } | undefined => {
  const [, prefix, queue] = /^(\/amq\/queue|\/queue)\/(.+)$/.exec(destination) ?? []
  return queue === undefined ? undefined : { queue, declares: prefix === "/queue" }
}

/** Headers that are no application's. `receipt` is passed on as one (recording 059). */
const own: ReadonlySet<string> = new Set([
  "destination",
  "content-length",
  "content-type",
  "persistent",
  "correlation-id",
  "transaction"
])

export const propertiesOf = (of: Frame): Properties => {
  const contentType = headerOf(of, "content-type")
  const correlationId = headerOf(of, "correlation-id")
  return {
    headers: Object.fromEntries(of.headers.filter(([name]) => !own.has(name))),
    persistent: headerOf(of, "persistent") === "true",
    ...(contentType === undefined ? {} : { contentType }),
    ...(correlationId === undefined ? {} : { correlationId })
  }
}

/** Dropped, where the queue names no other. No `x-death`: a list is dropped on the way to STOMP (recording 008). */
export const deadLetter = (broker: Broker, vhost: string, from: Queue, message: Message): void => {
  if (from.deadLetterTo === undefined) return
  broker.publish(vhost, from.deadLetterTo, message.body, {
    persistent: message.persistent,
    headers: {
      "x-first-death-exchange": "",
      "x-first-death-queue": from.name,
      "x-first-death-reason": "rejected"
    }
  })
}
