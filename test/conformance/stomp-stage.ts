/** The laboratory in which the recordings were made: users, virtual hosts, queues, and the messages of which no line tells. */
import {
  type Broker,
  everything,
  makeBroker,
  type Properties,
  readOnly,
  type Timers
} from "../../src/simulator/stomp/index.js"
import type { Recording } from "./stomp-recordings.js"

const vhost = "6f1d2c3b-0000-4000-8000-00000000a001"
const reader = "9a8b7c6d-0000-4000-8000-00000000b001"
const passcode = "sub-test-pw"

const numbered = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, index) => `m${index + 1}`)

/** Number of the recording -> what was in its queue before the first connection. */
const before: Readonly<Record<string, ReadonlyArray<string>>> = {
  "003": numbered(4),
  "004": numbered(4),
  "005": numbered(30),
  "006": numbered(1),
  "007": numbered(1),
  "008": numbered(1),
  "009": numbered(1),
  "010": numbered(2),
  "011": numbered(1),
  "019": numbered(1),
  "025": numbered(1),
  "029": ["m"],
  "031": ["x".repeat(1_048_576)],
  "032": ["x".repeat(1_048_576)],
  "038": numbered(1),
  "039": numbered(1),
  "040": numbered(1),
  "042": numbered(1),
  "043": numbered(1),
  "060": numbered(3)
}
/** The same for what came while clients were connected, at this ms. */
export const during: Readonly<Record<string, { readonly at: number; readonly bodies: ReadonlyArray<string> }>> = {
  "030": { at: 805, bodies: numbered(6) }
}
/** The payload that the recording does not show in full. */
const elided = '{"id":"order-1","text":"grüße 🦄"}'

/** Name of the queue that a recording is about: the first that it subscribes to. */
export const queueOf = ({ events }: Recording): string => destinationsIn(events).find((name) => name !== "none") ?? ""

const destinationsIn = (events: Recording["events"]): ReadonlyArray<string> =>
  events.flatMap(({ what }) => {
    const text = what._tag === "FromClient" ? what.bytes.toString() : ""
    const [, name] = /^(?:SUBSCRIBE|SEND)\n[\s\S]*?destination:\/(?:amq\/)?queue\/(.+)/.exec(text) ?? []
    return name === undefined ? [] : [name]
  })

export const makeStage = (recording: Recording, timers: Timers): Broker => {
  const broker = makeBroker(timers)
  const isTopology = recording.number === "001"
  if (!isTopology) {
    for (const name of [vhost, "other-vhost", "temp-vhost"]) broker.addVhost(name)
    for (const login of [reader, "writer", "nothing", "temp", "temp2", "temp3"]) broker.addUser(login, passcode)
    for (const login of [reader, "temp", "temp2", "temp3"]) broker.permit(login, vhost, readOnly)
    broker.permit(reader, "temp-vhost", readOnly)
    broker.permit("writer", vhost, everything)
    broker.permit("nothing", vhost, { configure: "^$", write: "^$", read: "^$" })
    broker.declareQueue("temp-vhost", "q")
  }
  for (const name of destinationsIn(recording.events)) {
    // Those that a recording expects to be missing, or to be made.
    if (!name.includes(reader) || name.includes("_made_")) continue
    const deadLetterTo = name.includes("_nackdl_") ? name.replace("_nackdl_", "_dead_") : undefined
    broker.declareQueue(vhost, name, deadLetterTo === undefined ? {} : { deadLetterTo })
  }
  for (const body of before[recording.number] ?? []) broker.publish(vhost, queueOf(recording), body)
  broker.behaviour.binaryFrames = recording.number === "063"
  return broker
}

export const publishStaged = (broker: Broker, recording: Recording): void => {
  for (const body of during[recording.number]?.bodies ?? []) broker.publish(vhost, queueOf(recording), body)
}

export const countsOf = (broker: Broker, recording: Recording): string => {
  const counts = broker.counts(vhost, queueOf(recording))
  return counts === undefined ? "no queue" : `${counts.ready}/${counts.unacked}/${counts.consumers}`
}

interface Published {
  readonly properties: Readonly<Record<string, string | number>> & {
    readonly headers?: Readonly<Record<string, unknown>>
  }
  readonly routing_key?: string
  readonly payload?: string
  readonly payload_encoding?: string
}

const texts = (value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : String(value)

const propertiesOf = ({ properties }: Published): Properties => {
  const named: ReadonlyArray<readonly [keyof Properties, unknown]> = [
    ["headers", properties.headers],
    ["contentType", texts(properties.content_type)],
    ["contentEncoding", texts(properties.content_encoding)],
    ["persistent", properties.delivery_mode === 2 ? true : undefined],
    ["priority", properties.priority],
    ["correlationId", texts(properties.correlation_id)],
    ["replyTo", texts(properties.reply_to)],
    ["expiration", texts(properties.expiration)],
    ["messageId", texts(properties.message_id)],
    ["timestamp", properties.timestamp],
    ["type", texts(properties.type)],
    ["userId", texts(properties.user_id)],
    ["appId", texts(properties.app_id)]
  ]
  return Object.fromEntries(named.filter(([, value]) => value !== undefined))
}

const publish = (broker: Broker, host: string, recording: Recording, text: string): string => {
  const whole = text.endsWith("}")
    ? text
    : `${text.slice(0, text.lastIndexOf('"routing_key'))}"payload":${JSON.stringify(elided)}}`
  const message: Published = JSON.parse(whole)
  const payload = Buffer.from(message.payload ?? "", message.payload_encoding === "base64" ? "base64" : "utf8")
  return `200 OK {"routed":${broker.publish(host, message.routing_key ?? queueOf(recording), payload, propertiesOf(message))}}`
}

const declare = (broker: Broker, host: string, name: string, text: string): string => {
  const wanted: { readonly durable: boolean } = JSON.parse(text)
  const answers = {
    made: "201 Created",
    there: "204 No Content",
    unequal: "400 Bad Request",
    "no vhost": "404 Not Found"
  }
  return answers[broker.declareQueue(host, name, { durable: wanted.durable })]
}

const done = (was: boolean): string =>
  was ? "204 No Content" : '404 Not Found {"error":"Object Not Found","reason":"Not Found"}'
const made = (isNew: boolean): string => (isNew ? "201 Created" : "204 No Content")

/** A call of the management interface, as the line tells it; gives the status, and the body where it is short. */
export const manage = (broker: Broker, recording: Recording, line: string): string => {
  const [, method = "", path = "", body = ""] = /^HTTP management: (\w+) (\S+) ?(.*?) -> /.exec(line) ?? []
  const [, , kind = "", first = "", second = ""] = path.split("/")
  switch (`${method} ${kind}`) {
    case "PUT vhosts":
      return made(broker.addVhost(first))
    case "DELETE vhosts":
      return done(broker.deleteVhost(first))
    case "PUT users":
      broker.addUser(first, "sub-test-pw")
      return "201 Created"
    case "DELETE users":
      return done(broker.deleteUser(first))
    case "PUT permissions":
      broker.permit(second, first, JSON.parse(body))
      return "201 Created"
    case "DELETE permissions":
      broker.forbid(second, first)
      return "204 No Content"
    case "PUT queues":
      return declare(broker, first, second, body)
    case "DELETE queues":
      return done(broker.deleteQueue(first, second))
    case "GET queues":
      return broker.counts(first, second) === undefined ? done(false) : "200 OK"
    case "POST exchanges":
      return publish(broker, first, recording, body)
    default:
      return `not known here: ${method} ${path}`
  }
}
