/**
 * What the agent tells others of itself: Waldur, who it is and that it lives (`identity.ts`) and the lines of its log (`lines.ts` keeps
 * them, `ship.ts` sends them); Sentry, its bugs and errors (`sentry.ts`).
 *
 * Nothing of it matters to an order: it has connections of its own, waits for nobody, and what it cannot tell is dropped and counted.
 */
export { tellingTimes, tellWaldur } from "./identity.js"
export { logLines } from "./lines.js"
export { sentry } from "./sentry.js"
