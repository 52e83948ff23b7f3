/**
 * A simulated RabbitMQ with Web STOMP, as Waldur's events are read through it, for tests and for the simulated marketplace.
 *
 * It is held to recordings of a real one (`test/conformance/stomp.test.ts`). `broker.ts` is what it remembers, and its switches;
 * `session.ts` one client's conversation; `queue.ts` who gets what and what goes back; `server.ts` the web sockets; `frames.ts` the bytes.
 */
export {
  type Behaviour,
  type Broker,
  type Counts,
  everything,
  makeBroker,
  type Permissions,
  type Properties,
  readOnly
} from "./broker.js"
export { attach, type ServedBroker, serveBroker } from "./server.js"
export type { Timers } from "./timers.js"
