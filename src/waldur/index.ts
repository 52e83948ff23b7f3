/**
 * The marketplace: everything that is said to Waldur and heard from it.
 *
 * Begin with `service.ts`: the calls that an agent makes, and what each promises. `make.ts` puts them together from
 *
 * - `api/`: what Waldur answers, as schemas that read leniently;
 * - `http/`: how a call travels: credentials (`auth.ts`), connections (`transport.ts`), what a status means (`answer.ts`), what is sent again (`retry.ts`), or not
 *   yet (`quiet.ts`);
 * - `client.ts`: one call over these, with a limit of calls at once; `errors.ts` says what follows from its failure;
 * - `calls/`: what is asked and told: objects and lists (`reads.ts`), moving an order (`transitions.ts`), setting values (`writes.ts`), and the rest;
 * - `events/`: what Waldur tells by itself, over STOMP.
 *
 * Two generations of servers are in use, and where they differ (how limits are set, who finishes a plan switch, which background task
 * overwrites a backend id) the difference ends in this room.
 */
export * from "./api/index.js"
export type { AgentAbout, AgentCalls, AgentLogLine } from "./calls/identity.js"
export type { ObservedCall } from "./client.js"
export * from "./errors.js"
export * from "./events/index.js"
export type { Credentials } from "./http/auth.js"
export type { TransportOptions } from "./http/transport.js"
export { makeWaldur, type WaldurOptions } from "./make.js"
export * from "./servers.js"
export * from "./service.js"
export * from "./shapes.js"
