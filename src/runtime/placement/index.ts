/**
 * Where work is done, and by whom. `placement.ts` says whose a resource is, `once.ts` does work in one process at a time, `others.ts` knows of the other
 * processes, and `gate.ts` stands before each call that changes something. With one process everything is here; what these are where there are several is in
 * `cluster/`, which only such a process loads.
 */
export { underLease } from "./gate.js"
export { Once, survived } from "./once.js"
export { Others, type Reach, reachNow } from "./others.js"
export { type Holders, Placement } from "./placement.js"
