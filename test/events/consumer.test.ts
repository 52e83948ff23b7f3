/** The consumer against a broker that does everything that a real one was seen to do. */
import { createServer } from "node:http"
import { connect } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Redacted, Ref, Scope, SubscriptionRef } from "effect"
import { attach, serveBroker } from "../../src/simulator/stomp/index.js"
import { WaldurNotFound } from "../../src/waldur/index.js"
import { freePort } from "../support/ports.js"
import { certificateFile, makeHttps, serve, serveTcp } from "../support/tinyServers.js"
import {
  consume,
  event,
  eventually,
  heardOf,
  isConnected,
  isDown,
  orderUuid,
  prepare,
  preparedBroker,
  queue,
  queueName,
  until,
  vhost
} from "./support.js"

const counts = (broker: ReturnType<typeof preparedBroker>) => broker.counts(vhost, queueName)

describe("A consumer of events", () => {
  it.scopedLive("gives what is in the queue, and acknowledges it when it has been handled", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      const gate = yield* Deferred.make<void>()
      const seen = yield* Ref.make<ReadonlyArray<string | undefined>>([])
      broker.publish(vhost, queueName, event)
      const consumer = yield* consume(port, {
        handle: ({ order }) =>
          Effect.zipRight(
            Ref.update(seen, (all) => [...all, order]),
            Deferred.await(gate)
          )
      })
      yield* until(consumer, ({ held }) => held === 1)
      expect(counts(broker)).toEqual({ ready: 0, unacked: 1, consumers: 1 })
      yield* Deferred.succeed(gate, undefined)
      yield* eventually(() => counts(broker)?.unacked === 0)
      expect(yield* Ref.get(seen)).toEqual([orderUuid])
      expect(yield* SubscriptionRef.get(consumer.status)).toMatchObject({ events: 1, held: 0, unreadable: 0 })
    })
  )

  it.scopedLive("takes no more at once than it may have in hand", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      for (let n = 0; n < 8; n++) broker.publish(vhost, queueName, event)
      const consumer = yield* consume(port, { handle: () => Effect.never }, { prefetch: 3 })
      yield* until(consumer, ({ held }) => held === 3)
      expect(counts(broker)).toEqual({ ready: 5, unacked: 3, consumers: 1 })
    })
  )

  it.scopedLive("drops what cannot be read, counts it, and goes on with the next on the same connection", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      const poison = [Buffer.from([0xff, 0xfe, 0, 0x80]), "", "{", "[]", '{"order_uuid": "1"}', "null", "\0"]
      for (const body of poison) broker.publish(vhost, queueName, body)
      broker.publish(vhost, queueName, event)
      const consumer = yield* consume(port)
      yield* until(consumer, ({ events, held }) => events === poison.length + 1 && held === 0)
      yield* eventually(() => counts(broker)?.unacked === 0)
      expect(yield* SubscriptionRef.get(consumer.status)).toMatchObject({ unreadable: poison.length, reconnects: 0 })
      expect(counts(broker)).toEqual({ ready: 0, unacked: 0, consumers: 1 })
    })
  )

  it.scopedLive(
    "drops what is too large to be Waldur's, without a new connection, and goes on with what is behind it",
    () =>
      Effect.gen(function* () {
        const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
        // As much as RabbitMQ 4 takes by default, headers not counted.
        broker.publish(vhost, queueName, Buffer.alloc(16 * 1024 * 1024, "x"))
        broker.publish(vhost, queueName, event)
        const seen = yield* Ref.make<ReadonlyArray<string | undefined>>([])
        const consumer = yield* consume(port, { handle: ({ order }) => Ref.update(seen, (all) => [...all, order]) })
        yield* until(consumer, ({ events, held }) => events === 2 && held === 0)
        yield* eventually(() => counts(broker)?.unacked === 0)
        expect(yield* Ref.get(seen)).toEqual([orderUuid])
        expect(yield* SubscriptionRef.get(consumer.status)).toMatchObject({ unreadable: 1, reconnects: 0 })
        expect(counts(broker)).toEqual({ ready: 0, unacked: 0, consumers: 1 })
      })
  )

  it.scopedLive("leaves an event in the queue that a bug has met, and lives on", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.publish(vhost, queueName, event)
      const first = yield* Ref.make(true)
      const consumer = yield* consume(port, {
        handle: () =>
          Effect.flatMap(Ref.getAndSet(first, false), (is) => (is ? Effect.dieMessage("a bug") : Effect.void))
      })
      yield* until(consumer, ({ events, held }) => events === 1 && held === 0)
      expect(counts(broker)?.unacked).toBe(1)
      broker.cutAll()
      yield* until(consumer, ({ events }) => events === 2)
      yield* eventually(() => counts(broker)?.unacked === 0 && counts(broker)?.ready === 0)
    })
  )
})

describe("A consumer connects again, and says why it had to, when the broker", () => {
  it.scopedLive("refuses the passcode without closing the socket; Waldur is asked for the queue anew", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.addUser("s", "another")
      const asked = yield* Ref.make(0)
      const registration = Effect.as(
        Effect.tap(
          Ref.updateAndGet(asked, (n) => n + 1),
          (n) => (n > 2 ? Effect.sync(() => prepare(broker)) : Effect.void)
        ),
        queue
      )
      const consumer = yield* consume(port, { queue: registration })
      const { reason } = yield* until(consumer, (status) => isDown(status) && status.reason.includes("refused"))
      expect(reason).toBe("The broker says: Bad CONNECT. Access refused for user 's'")
      yield* until(consumer, isConnected)
      expect(yield* Ref.get(asked)).toBe(3)
    })
  )

  it.scopedLive("quotes the passcode: it is struck out", () =>
    Effect.gen(function* () {
      const { port } = yield* serveBroker({ broker: preparedBroker() })
      const passcode = "5ec0e7000000000000000000000000000000000a"
      const consumer = yield* consume(port, {
        queue: Effect.succeed({ ...queue, login: passcode, passcode: Redacted.make(passcode) })
      })
      yield* until(consumer, ({ reason }) => reason === "The broker says: Bad CONNECT. Access refused for user '***'")
    })
  )

  it.scopedLive("has what is larger than can be taken: seldom, and with what to do about it", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.publish(vhost, queueName, Buffer.alloc(3 * 1024 * 1024))
      // Longer than the test: a second connection would be one of the usual pauses.
      const timing = { largestMessage: 2 * 1024 * 1024, unsupportedPause: 600_000 }
      const consumer = yield* consume(port, {}, timing)
      const { reason } = yield* until(consumer, (status) => isDown(status) && status.reason.includes("2.0 MB"))
      expect(reason).toBe(
        `The broker has a message of more than 2.0 MB in the queue ${queueName}, and gives nothing behind it: remove it there ` +
          `(rabbitmqctl purge_queue --vhost ${vhost} ${queueName}). Until then orders are found by polling.`
      )
      yield* Effect.sleep("500 millis")
      expect(heardOf(broker, "CONNECT")).toBe(1)
    })
  )

  it.scopedLive("does not know the queue: at its pauses, not in a hot loop", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.deleteQueue(vhost, queueName)
      const consumer = yield* consume(port)
      yield* until(consumer, ({ reason }) => reason.includes("does not exist, or may not be read"))
      // Pauses of 60 and then 120 ms, a third less at most; on a slow machine they are longer.
      yield* eventually(() => heardOf(broker, "CONNECT") >= 2)
      const before = performance.now()
      yield* eventually(() => heardOf(broker, "CONNECT") >= 8)
      expect(performance.now() - before).toBeGreaterThan(250)
      broker.declareQueue(vhost, queueName)
      yield* until(consumer, isConnected)
    })
  )

  it.scopedLive("closes after an ERROR, as newer ones do", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.behaviour.errorBeforeClose = true
      broker.deleteQueue(vhost, queueName)
      const consumer = yield* consume(port)
      yield* until(consumer, ({ reason }) => reason.startsWith("The broker says: not_found. NOT_FOUND - no queue"))
      broker.declareQueue(vhost, queueName)
      yield* until(consumer, isConnected)
    })
  )

  it.scopedLive("cancels the subscription and keeps the socket: a subscription that is dead", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      const registration = Effect.as(
        Effect.sync(() => prepare(broker)),
        queue
      )
      const consumer = yield* consume(port, { queue: registration })
      yield* until(consumer, isConnected)
      broker.deleteQueue(vhost, queueName)
      const { reason } = yield* until(consumer, isDown)
      expect(reason).toContain("The broker says: Server cancelled subscription.")
      yield* until(consumer, isConnected)
      broker.publish(vhost, queueName, event)
      yield* until(consumer, ({ events, held }) => events === 1 && held === 0)
    })
  )

  it.scopedLive('loses the user: "STOMP died"', () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      const consumer = yield* consume(port)
      yield* until(consumer, isConnected)
      broker.deleteUser("s")
      expect((yield* until(consumer, isDown)).reason).toContain('"STOMP died"): its queue or user may be gone')
      prepare(broker)
      yield* until(consumer, isConnected)
    })
  )

  it.scopedLive("falls silent: within three heart-beats, not after the 30 s of a closing handshake", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      const consumer = yield* consume(port, {}, { heartBeat: 80 })
      yield* until(consumer, isConnected)
      const before = Date.now()
      broker.behaviour.silent = true
      expect((yield* until(consumer, isDown)).reason).toBe("The broker gave no sign of life for 0.16 s.")
      expect(Date.now() - before).toBeLessThan(20_000)
      broker.behaviour.silent = false
      yield* until(consumer, isConnected)
    })
  )

  it.scopedLive("accepts the socket and says nothing at all", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.behaviour.silent = true
      const consumer = yield* consume(port, {}, { connect: 150 })
      yield* until(consumer, ({ reason }) => reason === "The broker did not answer within 0.15 s.")
      broker.behaviour.silent = false
      yield* until(consumer, isConnected)
    })
  )

  it.scopedLive("accepts the connection and does not answer the upgrade", () =>
    Effect.gen(function* () {
      const port = yield* serveTcp(() => {})
      const consumer = yield* consume(port, {}, { connect: 100 })
      const { reason } = yield* until(consumer, ({ reason }) => reason !== "Not connected yet.")
      expect(reason).toMatch(/did not answer within 0.1 s|handshake has timed out/)
    })
  )

  it.scopedLive("stops and starts: ECONNREFUSED until it is back, and the event in hand comes again", () =>
    Effect.gen(function* () {
      const broker = preparedBroker()
      const running = yield* Scope.make()
      const port = yield* freePort
      yield* Scope.extend(serveBroker({ broker, port }), running)
      const again = yield* Ref.make<ReadonlyArray<boolean>>([])
      const consumer = yield* consume(port, {
        handle: ({ redelivered }) =>
          Effect.zipRight(
            Ref.update(again, (all) => [...all, redelivered]),
            redelivered ? Effect.void : Effect.never
          )
      })
      broker.publish(vhost, queueName, event, { persistent: true })
      yield* until(consumer, ({ held }) => held === 1)
      broker.restart()
      yield* Scope.close(running, Exit.void)
      yield* until(consumer, ({ reason }) => reason === "The broker cannot be reached: ECONNREFUSED.")
      yield* serveBroker({ broker, port })
      yield* until(consumer, ({ events, held }) => events === 2 && held === 0)
      expect(yield* Ref.get(again)).toEqual([false, true])
      yield* eventually(() => counts(broker)?.unacked === 0)
      expect(heardOf(broker, "ACK")).toBe(1)
    })
  )

  it.scopedLive("is hidden behind a proxy that answers 404 or 503", () =>
    Effect.gen(function* () {
      const { broker, port } = yield* serveBroker({ broker: preparedBroker() })
      broker.behaviour.refuseUpgrade = 503
      const consumer = yield* consume(port)
      yield* until(consumer, ({ reason }) => reason.endsWith("Unexpected server response: 503."))
      broker.behaviour.refuseUpgrade = 404
      yield* until(consumer, ({ reason }) => reason.endsWith("Unexpected server response: 404."))
      broker.behaviour.refuseUpgrade = undefined
      yield* until(consumer, isConnected)
    })
  )

  it.scopedLive("is of a Waldur that has no events yet: which is no fault, and is asked again later", () =>
    Effect.gen(function* () {
      const { port } = yield* serveBroker({ broker: preparedBroker() })
      const missing = new WaldurNotFound({
        call: "GET marketplace-site-agent-identities/",
        detail: "Not Found",
        unknownAddress: true,
        disposition: "retry"
      })
      const asked = yield* Ref.make(0)
      const registration = Effect.flatMap(
        Ref.updateAndGet(asked, (n) => n + 1),
        (n) => (n === 1 ? missing : Effect.succeed(queue))
      )
      const consumer = yield* consume(port, { queue: registration })
      yield* until(consumer, ({ supported }) => !supported)
      yield* until(consumer, (status) => status.supported && isConnected(status))
    })
  )
})

describe("A consumer reaches the broker as the offering's calls reach Waldur:", () => {
  const secure = Effect.gen(function* () {
    const broker = preparedBroker()
    const server = makeHttps((_, response) => response.end())
    attach(server, broker, "/ws")
    return { broker, port: yield* serve(server) }
  })

  it.scopedLive("over TLS with the authority of the configuration, and not without", () =>
    Effect.gen(function* () {
      const { port } = yield* secure
      const url = `wss://127.0.0.1:${port}/ws`
      const distrusting = yield* consume(port, { url })
      yield* until(distrusting, ({ reason }) => reason.includes("SELF_SIGNED_CERT"))
      const trusting = yield* consume(port, { url, transport: { tls: { caFile: certificateFile } } })
      yield* until(trusting, isConnected)
      const blind = yield* consume(port, { url, transport: { tls: { verify: false } } })
      yield* until(blind, isConnected)
    })
  )

  it.scopedLive("through its proxy", () =>
    Effect.gen(function* () {
      const { port } = yield* secure
      const asked: Array<string> = []
      const proxy = createServer()
      proxy.on("connect", (request, client, head) => {
        asked.push(`${request.url} ${request.headers["proxy-authorization"]}`)
        const [host, target] = (request.url ?? "").split(":")
        const onwards = connect(Number(target), host, () => {
          client.write("HTTP/1.1 200 OK\r\n\r\n")
          onwards.write(head)
          onwards.pipe(client).pipe(onwards)
        })
        onwards.on("error", () => client.destroy())
        client.on("error", () => onwards.destroy())
      })
      const proxyPort = yield* serve(proxy)
      const consumer = yield* consume(port, {
        url: `wss://127.0.0.1:${port}/ws`,
        transport: {
          tls: { caFile: certificateFile },
          proxy: Redacted.make(`http://user:secret@127.0.0.1:${proxyPort}`)
        }
      })
      yield* until(consumer, isConnected)
      expect(asked).toEqual([`127.0.0.1:${port} Basic ${Buffer.from("user:secret").toString("base64")}`])
    })
  )
})
