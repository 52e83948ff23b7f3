/**
 * One client's conversation with the broker, as RabbitMQ 3.10's Web STOMP holds it (`test/fixtures/stomp`).
 *
 * Errors come in two kinds. Some send an ERROR frame and leave the socket open and usable; whatever is an error of AMQP closes the socket
 * with 1000 "STOMP died" and says nothing. A clean DISCONNECT ends the same way, without its receipt.
 */
import { randomBytes } from "node:crypto"
import type { Broker, Connection } from "./broker.js"
import { entryOf, versions } from "./entry.js"
import { type Frame, frame, type Header, headerOf } from "./frames.js"
import { type Consumer, type Message, pump, type Queue, requeue } from "./queue.js"
import { deadLetter, namedIn, propertiesOf } from "./sending.js"
import { repeatedly } from "./timers.js"

/** The socket, as a session needs it. */
export interface Wire {
  readonly send: (frame: Frame) => void
  readonly beat: () => void
  readonly close: (code: number, reason: string) => void
  readonly cut: () => void
}

export interface Session {
  readonly receive: (frame: Frame) => void
  /** Bytes came, heart-beats included. */
  readonly heard: () => void
  /** The socket is gone: everything unacknowledged goes back at once (recordings 009, 010). */
  readonly gone: () => void
}

type AckMode = "auto" | "client" | "client-individual"

interface Subscription {
  readonly mode: AckMode
  readonly queue: Queue
  readonly consumer: Consumer
}

interface Delivery {
  readonly message: Message
  readonly queue: Queue
  readonly consumer: Consumer
}

const ackModes: ReadonlyArray<string> = ["auto", "client", "client-individual"]
const isAckMode = (text: string): text is AckMode => ackModes.includes(text)

export const makeSession = (broker: Broker, wire: Wire): Session => {
  const id = `session-${randomBytes(16).toString("base64url")}`
  const subscriptions = new Map<string, Subscription>()
  /** By delivery tag, which counts the deliveries of the whole session. */
  const deliveries = new Map<number, Delivery>()
  const beats: Array<() => void> = []
  let tags = 0
  let login: string | undefined
  let vhost: string | undefined
  let over = false
  let activity = true

  const error = (message: string, body: string, more: ReadonlyArray<Header> = []): void =>
    wire.send(
      frame("ERROR", [["message", message], ["content-type", "text/plain"], ["version", versions], ...more], body)
    )

  const gone = (): void => {
    if (over) return
    over = true
    broker.connections.delete(connection)
    for (const stop of beats) stop()
    const queues = new Set([...subscriptions.values()].map(({ queue }) => queue))
    for (const { consumer, queue } of subscriptions.values()) {
      queue.consumers = queue.consumers.filter((other) => other !== consumer)
    }
    for (const { message, queue } of deliveries.values()) {
      requeue(queue, message)
      queues.add(queue)
    }
    for (const queue of queues) pump(queue)
  }

  const close = (code: number, reason: string): void => {
    wire.close(code, reason)
    gone()
  }
  /** An error of AMQP. */
  const die = (reason: string): void => {
    if (over) return
    if (broker.behaviour.errorBeforeClose) error("not_found", `${reason}\n`)
    close(1000, "STOMP died")
  }
  const connection: Connection = {
    login: () => login,
    vhost: () => vhost,
    die,
    cut: () => {
      wire.cut()
      gone()
    }
  }
  broker.connections.add(connection)

  const receipt = (of: Frame): void => {
    const wanted = headerOf(of, "receipt")
    if (wanted !== undefined && !over) wire.send(frame("RECEIPT", [["receipt-id", wanted]]))
  }

  const connect = (of: Frame) => {
    const asked = entryOf(broker, of)
    if ("refusal" in asked) return error(asked.refusal, asked.body)
    login = asked.login
    vhost = asked.vhost
    wire.send(
      frame("CONNECTED", [
        ["server", "RabbitMQ/3.10.8"],
        ["session", id],
        ["heart-beat", `${asked.beat},${asked.expect}`],
        ["version", asked.version]
      ])
    )
    // The first after half the interval (recordings 002, 051, 052).
    if (asked.beat > 0) beats.push(repeatedly(broker.timers, asked.beat / 2, asked.beat, wire.beat))
    if (asked.expect > 0) beats.push(watchClient(asked.expect))
  }

  /** Two intervals without a byte, looked at once each interval: three after a client that only connected (recordings 051, 052). */
  const watchClient = (interval: number): (() => void) => {
    let missed = 0
    return repeatedly(broker.timers, interval, interval, () => {
      missed = activity ? 0 : missed + 1
      activity = false
      if (missed >= 2 && !broker.behaviour.silent) close(1000, "STOMP died")
    })
  }

  const may = (what: "configure" | "read" | "write", queue: string): boolean =>
    login === "" || broker.may(login ?? "", vhost ?? "", what, queue)

  /** The queue that a destination names; `/queue/` makes it. `undefined`: the session has ended over it, or heard an ERROR. */
  const resolve = (destination: string, what: "read" | "write"): string | undefined => {
    const named = namedIn(destination)
    if (named === undefined) {
      error(
        "Unknown destination",
        `'${destination}' is not a valid destination.\nValid destination types are: /temp-queue, /exchange, /topic, /queue, /amq/queue, /reply-queue/.\n`
      )
      return undefined
    }
    const allowed = may(what, named.queue) && (!named.declares || may("configure", named.queue))
    if (!allowed) {
      die(`access to queue '${named.queue}' refused`)
      return undefined
    }
    if (named.declares) broker.declareQueue(vhost ?? "", named.queue)
    return named.queue
  }

  const subscribe = (of: Frame) => {
    const destination = headerOf(of, "destination") ?? ""
    const given = headerOf(of, "id")
    const tag = given === undefined ? `Q_${destination}` : `T_${given}`
    const mode = headerOf(of, "ack") ?? "auto"
    if (!isAckMode(mode)) return error("Processing error", "Processing error")
    const name = resolve(destination, "read")
    if (name === undefined) return
    const queue = broker.queueOf(vhost ?? "", name)
    if (queue === undefined) return die(`NOT_FOUND - no queue '${name}' in vhost '${vhost}'`)
    if (subscriptions.has(tag)) return die(`NOT_ALLOWED - attempt to reuse consumer tag '${tag}'`)
    const consumer: Consumer = {
      prefetch: Number(headerOf(of, "prefetch-count") ?? 0),
      unacked: new Set(),
      deliver: (message) => deliver(message, queue, consumer, given, tag, mode),
      cancelled: () => {
        subscriptions.delete(tag)
        const header: ReadonlyArray<Header> = given === undefined ? [] : [["subscription", given]]
        const about = given === undefined ? `destination='${destination}'` : `id='${given}'`
        const body = `The server has canceled a subscription.\nNo more messages will be delivered for "${about}".\n`
        error("Server cancelled subscription", body, header)
      }
    }
    subscriptions.set(tag, { mode, queue, consumer })
    queue.consumers = [...queue.consumers, consumer]
    receipt(of)
    pump(queue)
  }

  const deliver = (
    message: Message,
    queue: Queue,
    consumer: Consumer,
    subscription: string | undefined,
    tag: string,
    mode: AckMode
  ): void => {
    const messageId = `${tag}@@${id}@@${++tags}`
    if (mode !== "auto") {
      deliveries.set(tags, { message, queue, consumer })
      consumer.unacked.add(message)
      queue.unacked.add(message)
    }
    wire.send(
      frame(
        "MESSAGE",
        [
          ...(subscription === undefined ? [] : [["subscription", subscription] as const]),
          ["destination", `/queue/${queue.name}`],
          ["message-id", messageId],
          ["redelivered", String(message.redelivered)],
          ...(mode === "auto" ? [] : [["ack", messageId] as const]),
          ...message.headers
        ],
        message.body
      )
    )
  }

  const unsubscribe = (of: Frame) => {
    const tag = `T_${headerOf(of, "id") ?? ""}`
    const known = subscriptions.get(tag)
    if (known === undefined) return error("Subscription not found", `There is no subscription "${tag}"\n`)
    // What is unacknowledged stays so, and nobody can acknowledge it any more (recording 011).
    subscriptions.delete(tag)
    known.queue.consumers = known.queue.consumers.filter((other) => other !== known.consumer)
    receipt(of)
  }

  /** The session's part of the id is not looked at (recording 040). */
  const settle = (of: Frame, how: (delivery: Delivery) => void) => {
    const given = headerOf(of, "id") ?? ""
    const [tag = "", , number = ""] = given.split("@@")
    const subscription = subscriptions.get(tag)
    if (subscription === undefined) {
      return error("Subscription not found", `Message with id "${given}" has no subscription`)
    }
    const last = Number(number)
    if (!deliveries.has(last)) return die(`PRECONDITION_FAILED - unknown delivery tag ${number}`)
    const settled = [...deliveries].filter(([one]) => (subscription.mode === "client" ? one <= last : one === last))
    for (const [one, delivery] of settled) {
      deliveries.delete(one)
      delivery.consumer.unacked.delete(delivery.message)
      delivery.queue.unacked.delete(delivery.message)
      how(delivery)
    }
    receipt(of)
    for (const queue of new Set(settled.map(([, delivery]) => delivery.queue))) pump(queue)
  }

  const nack = (of: Frame): void =>
    settle(of, ({ message, queue }) =>
      headerOf(of, "requeue") === "false" ? deadLetter(broker, vhost ?? "", queue, message) : requeue(queue, message)
    )

  const send = (of: Frame) => {
    if (headerOf(of, "message-id") !== undefined) {
      return error("Invalid header", "'message-id' is not allowed on 'SEND'.\n")
    }
    const name = resolve(headerOf(of, "destination") ?? "", "write")
    if (name === undefined) return
    // To a queue that is not there: lost, with a receipt (recording 024).
    receipt(of)
    broker.publish(vhost ?? "", name, of.body, propertiesOf(of))
  }

  const commands: Readonly<Record<string, (of: Frame) => void>> = {
    SUBSCRIBE: subscribe,
    UNSUBSCRIBE: unsubscribe,
    ACK: (of) => settle(of, () => {}),
    NACK: nack,
    SEND: send,
    // Without its receipt (recordings 002, 010).
    DISCONNECT: () => close(1000, "STOMP died")
  }

  return {
    gone,
    heard: () => {
      activity = true
    },
    receive: (of) => {
      if (over) return
      const isConnect = of.command === "CONNECT" || of.command === "STOMP"
      broker.heard.push({ command: of.command, headers: isConnect ? [] : of.headers })
      if (login === undefined) {
        if (isConnect) connect(of)
        else error("Illegal command", "You must log in using CONNECT first")
        return
      }
      const command = commands[of.command]
      if (command === undefined) error("Bad command", `Could not interpret command "${of.command}"\n`)
      else command(of)
    }
  }
}
