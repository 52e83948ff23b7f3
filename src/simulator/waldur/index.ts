/**
 * A simulated Waldur marketplace, on real HTTP or without it: for the demo, for tests, and for whoever writes a plugin.
 *
 * It is held to recordings of real servers (`test/conformance/waldur.test.ts`) and imports nothing of the agent, so that neither
 * can share the other's misunderstandings.
 *
 * Where to begin: `serve` puts a marketplace on a port, `demoWorld` fills it. `marketplace.ts` is the machine without HTTP;
 * `model.ts` has its nouns, `orders.ts` the life of an order, `processing.ts` what the server does on its own, `permissions.ts` who
 * may do what. `routes/` are the API's paths, `views/` what they answer, `dispatch.ts` ties them together.
 */
export type { Broker } from "../stomp/index.js"
export type { Answer } from "./answers.js"
export { type Call, type Fault, fault, type IncomingCall, type Interceptor } from "./calls.js"
export { type DemoWorld, type DemoWorldOptions, demoTokens, demoUuids, demoWorld } from "./demo-world.js"
export { type Marketplace, type MarketplaceOptions, makeMarketplace, type Reply } from "./marketplace.js"
export type {
  AccountingType,
  Amounts,
  Component,
  Customer,
  Json,
  JsonObject,
  Offering,
  Order,
  OrderState,
  OrderType,
  Plan,
  Project,
  Resource,
  ResourceState,
  SshKey,
  User
} from "./model.js"
export type { ApiRequest } from "./request.js"
export type { NewComponent, NewOffering, NewPlan, NewProject, NewUser } from "./seed.js"
export { type Served, type ServeOptions, serve } from "./server.js"
export type { Change, Generation, World } from "./world.js"
