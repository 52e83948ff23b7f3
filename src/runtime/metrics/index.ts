/**
 * What the agent counts and measures of its own work, for Prometheus.
 *
 * `metrics.ts` is what the rest of the runtime tells; `instruments.ts` has the names, in one place; `rounds.ts` counts work that comes
 * round again. What is only looked up when somebody asks (offerings, leftovers, quarantine) is gathered in `runtime/http/metrics.ts`.
 *
 * Labels are bounded: offerings of the configuration, methods, tags of errors. Never an order, a resource, or anything that a customer
 * wrote.
 */
export type { Gauges, OfferingFacts } from "./instruments.js"
export { Metrics, type OrderAtWork, type RoundOf, watchedEndpoints } from "./metrics.js"
export { processText } from "./process.js"
export { countedRound } from "./rounds.js"
