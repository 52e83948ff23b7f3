/**
 * Events: what Waldur tells before anybody asks, over STOMP on a web socket. An event is a hint to look again; whoever misses one finds
 * the same at the next look.
 *
 * `registration.ts` asks Waldur for the queue, `socket.ts` and `session.ts` are one connection to the broker, `message.ts` what a message
 * says, `consumer.ts` keeps all that going for ever. How brokers behave, and misbehave, was recorded: `test/fixtures/stomp`.
 */
export { type Consumer, type ConsumerOptions, eventTiming, makeConsumer } from "./consumer.js"
export { type EventsFound, type EventsProbe, probeEvents } from "./probe.js"
export { isBrokerAway } from "./registration.js"
export { brokerUrl } from "./socket.js"
export {
  type BrokerPlace,
  type ConsumerStatus,
  defaultTiming,
  type EventQueue,
  type Heard,
  type ObjectType,
  objectTypes,
  type Timing,
  type WaldurEvent
} from "./types.js"
