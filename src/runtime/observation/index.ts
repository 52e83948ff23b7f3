/**
 * Between orders: is everything in the backend as the marketplace says?
 *
 * `look.ts` reads both sides of an offering, once each for all of its resources, has them compared (`core/observation.ts`) and keeps the
 * result in the journal's database (`store.ts`), where the commands read it. `rounds/observation.ts` has it done every now and then. It changes nothing:
 * what is to be done about a resource is left to that resource's actor (`reconcile.ts`), which looks again and does it under its lease,
 * one thing at a time, each step written down (`reconciliations.ts`).
 */
export { isSettled } from "./look.js"
export { Looks } from "./looks.js"
export * as Observations from "./store.js"
