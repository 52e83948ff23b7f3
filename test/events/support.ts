/** A consumer at a simulated broker, with times that a test can wait for. */
import { Effect, Logger, LogLevel, Redacted, Stream } from "effect"
import { type Broker, makeBroker, readOnly } from "../../src/simulator/stomp/index.js"
import {
  type Consumer,
  type ConsumerOptions,
  type ConsumerStatus,
  defaultTiming,
  type EventQueue,
  eventTiming,
  makeConsumer,
  type Timing
} from "../../src/waldur/index.js"

export const vhost = "0e0e000000004000a000000000000001"
export const queueName = "subscription_s_offering_o_order"
export const orderUuid = "0ade0000000040000000000000000001"
export const event = JSON.stringify({ order_uuid: orderUuid, order_state: "pending-provider" })

export const quick: Timing = {
  ...defaultTiming,
  // Long, so that a busy machine is not taken for a silent broker.
  heartBeat: 5_000,
  connect: 5_000,
  firstPause: 30,
  longestPause: 120,
  stable: 200,
  unsupportedPause: 300
}

/** A broker with the agent's user and queue. */
export const preparedBroker = (): Broker => {
  const broker = makeBroker()
  broker.addVhost(vhost)
  prepare(broker)
  return broker
}
export const prepare = (broker: Broker): void => {
  broker.addUser("s", "token")
  broker.permit("s", vhost, readOnly)
  broker.declareQueue(vhost, queueName)
}

export const queue: EventQueue = { vhost, login: "s", passcode: Redacted.make("token"), name: queueName }

export const consume = (port: number, options: Partial<ConsumerOptions<never>> = {}, timing: Partial<Timing> = {}) =>
  makeConsumer({
    objectType: "order",
    url: `ws://127.0.0.1:${port}/ws`,
    transport: {},
    queue: Effect.succeed(queue),
    handle: () => Effect.void,
    ...options
  }).pipe(Effect.locally(eventTiming, { ...quick, ...timing }), Logger.withMinimumLogLevel(LogLevel.None))

/** Completes with the first status that fulfils the condition. */
export const until = ({ status }: Consumer, condition: (status: ConsumerStatus) => boolean) =>
  status.changes.pipe(
    Stream.filter(condition),
    Stream.runHead,
    Effect.flatten,
    Effect.timeoutFail({ duration: "1 minute", onTimeout: () => new Error("the consumer never got there") })
  )
export const isConnected = ({ connectedSince }: ConsumerStatus): boolean => connectedSince !== undefined
export const isDown = ({ downSince }: ConsumerStatus): boolean => downSince !== undefined

/** Completes when the condition holds; looks every few ms. Fails with what `state` shows at the end. */
export const eventually = (
  condition: () => boolean,
  state: () => unknown = () => undefined
): Effect.Effect<void, Error> =>
  Effect.sync(condition).pipe(
    Effect.delay("5 millis"),
    Effect.repeat({ until: (holds) => holds }),
    Effect.timeoutFail({
      duration: "1 minute",
      onTimeout: () => new Error(`it never came to that: ${JSON.stringify(state())}`)
    }),
    Effect.asVoid
  )
export const heardOf = (broker: Broker, command: string): number =>
  broker.heard.filter((frame) => frame.command === command).length
