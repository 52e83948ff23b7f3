/**
 * The core: what an order is, and what a backend is. No I/O and no backend in here.
 *
 * Begin with `backend.ts`, the plugin contract. A handler is written with the steps of `steps.ts`; `saga.ts` carries it out or undoes
 * it, against a journal whose shape is in `journal.ts`. `orders.ts` has the requests that handlers get, `components.ts` the units,
 * `usage.ts` what is measured, `errors.ts` what follows from which error. `observation.ts` compares the marketplace with the backend,
 * `upkeep.ts` is what a backend can do between orders.
 */
export * from "./accounts.js"
export * from "./alarms.js"
export * from "./backend.js"
export * from "./breaker.js"
export * from "./calls.js"
export * from "./components.js"
export * from "./elapsed.js"
export * from "./errors.js"
export * from "./fairLimiter.js"
export * from "./gate.js"
export * from "./journal.js"
export * from "./lean.js"
export * from "./marks.js"
export * from "./members.js"
export * from "./observation.js"
export * from "./orders.js"
export * from "./park.js"
export * from "./parts.js"
export * from "./place.js"
export * from "./rehearsal.js"
export * from "./saga.js"
export * from "./shared.js"
export * from "./sideBySide.js"
export * from "./spans.js"
export * from "./steps.js"
export * from "./timeLeft.js"
export * from "./timeLimit.js"
export * from "./told.js"
export * from "./upkeep.js"
export * from "./usage.js"
