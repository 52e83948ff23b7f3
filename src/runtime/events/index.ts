/**
 * Events at work: what happens in the agent when Waldur tells of something. `watch.ts` has the consumers of an offering and says how often
 * to look besides; `orders.ts` is what an order's event leads to. The consumer itself is `src/waldur/events`.
 */
export { watchEvents } from "./watch.js"
