/**
 * The marketplace: everything that is said to Waldur and heard from it.
 *
 * Begin with `service.ts`: the calls that an agent makes, and what each promises. `make.ts` puts them together from
 *
 * - `api/`: what Waldur answers, as schemas that read leniently;
 * - `client.ts`: one call, with credentials (`auth.ts`), a limit of calls at once, retries (`retry.ts`), over `transport.ts`;
 *   `answer.ts` says what a status means, `errors.ts` what follows from it;
 * - `events/`: what Waldur tells by itself, over STOMP;
 * - `reads.ts`: objects and lists, `transitions.ts`: moving an order, `writes.ts`: setting values, `probe.ts`: for `site-actors check`.
 *
 * Two generations of servers are in use, and where they differ (how limits are set, who finishes a plan switch, which background task
 * overwrites a backend id) the difference ends in this room.
 */
export * from "./api/index.js"
export type { Credentials } from "./auth.js"
export type { ObservedCall } from "./client.js"
export * from "./errors.js"
export * from "./events/index.js"
export type { AgentAbout, AgentCalls, AgentLogLine } from "./identity.js"
export { makeWaldur, type WaldurOptions } from "./make.js"
export * from "./servers.js"
export * from "./service.js"
export * from "./shapes.js"
export type { TransportOptions } from "./transport.js"
