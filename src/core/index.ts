/**
 * The core: what an order is, and what a backend is. No I/O and no backend in here.
 *
 * Begin with `backend.ts`, the plugin contract. `orders.ts` has the requests that handlers get, `components.ts` the units, `usage.ts` what is
 * measured, `errors.ts` what follows from which error. `observation.ts` compares the marketplace with the backend, `upkeep.ts` is what a backend can do
 * between orders.
 *
 * - `saga/`: a handler is written with the steps of `steps.ts`, each of which happens as `perform.ts` says; `saga.ts` carries it out or undoes it, against a
 *   journal whose shape is in `journal.ts`.
 * - `calls/`: what stands around each call of a client, whichever system it calls.
 * - `lean/`: what Effect has, in fewer steps of a fiber, for where there are thousands of it.
 */
export * from "./accounts.js"
export * from "./backend.js"
export * from "./calls/breaker.js"
export * from "./calls/gate.js"
export * from "./calls/observed.js"
export * from "./calls/rehearsal.js"
export * from "./components.js"
export * from "./counts.js"
export * from "./errors.js"
export * from "./foretelling.js"
export * from "./lean/alarms.js"
export * from "./lean/around.js"
export * from "./lean/elapsed.js"
export * from "./lean/fairLimiter.js"
export * from "./lean/keptFor.js"
export * from "./lean/shared.js"
export * from "./lean/sideBySide.js"
export * from "./lean/spans.js"
export * from "./lean/timeLimit.js"
export * from "./lean/told.js"
export * from "./members.js"
export * from "./observation.js"
export * from "./orders.js"
export * from "./parts.js"
export * from "./saga/attempt.js"
export * from "./saga/failures.js"
export * from "./saga/journal.js"
export * from "./saga/marks.js"
export * from "./saga/park.js"
export * from "./saga/place.js"
export * from "./saga/saga.js"
export * from "./saga/state.js"
export * from "./saga/steps.js"
export * from "./saga/timeLeft.js"
export * from "./saga/whose.js"
export * from "./tested.js"
export * from "./upkeep.js"
export * from "./usage.js"
