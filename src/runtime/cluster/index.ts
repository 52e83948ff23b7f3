/**
 * One of several processes. Begin with `several.ts`, which puts together: the address book in the journal's database (`storage.ts` on `tables.ts`),
 * the way to the other processes (`wire.ts`, with the key of `key.ts`), and @effect/cluster between them.
 *
 * `placement.ts` says whose a resource is, `once.ts` does work in one process at a time, `gate.ts` stands before each call that changes something,
 * `clock.ts` says what time it is, `alike.ts` whether all have the same settings. With one process these are there too, and let everything pass. The whole of it:
 * docs/decisions/0043-several-processes.md.
 */
export { Others } from "./alike.js"
export { commonClock } from "./clock.js"
export { Once } from "./once.js"
export { Placement } from "./placement.js"
export type { ClusterSettings } from "./settings.js"
export { severalProcesses } from "./several.js"
export { Member } from "./storage.js"
