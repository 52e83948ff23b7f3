/**
 * A simulated OpenNebula 7.4 front-end: for tests, for the demo, and for whoever writes a plugin without a cloud at hand.
 *
 * It is faithful to a recorded session with a real front-end and shares no code with the agent, so that it keeps the agent honest.
 *
 * - `serve.ts` puts HTTP around `front-end.ts`, which reads a request and finds its method (`dispatch.ts`, `methods.ts`).
 * - `wire/`: XML-RPC as xmlrpc-c speaks it, and the documents in its answers.
 * - `nouns/`: one file for each noun's methods, but VMs.
 * - `vms/`: those of VMs, and what goes on after a call has returned (booting, shutting down): `machine.ts` is the heart of it.
 * - `world/`: what all of them change, and what a caller may (`access.ts`, `quotas.ts`). It begins as `lab.ts` says.
 *
 * Begin with `makeFrontEnd` (no HTTP, time by TestClock) or `serve`.
 */
export { type CallRecord, type FrontEnd, type FrontEndOptions, type HttpAnswer, makeFrontEnd } from "./front-end.js"
export { type CallSeen, ConnectionDropped, type Disturbance, type Interceptor } from "./interception.js"
export type { InitialWorld } from "./lab.js"
export { lockFor } from "./nouns/images.js"
export { type Served, type ServeOptions, serve } from "./serve.js"
export { hostDies, hostReturns } from "./vms/scheduler.js"
export { Lcm, VmState } from "./vms/states.js"
export type { Answer } from "./wire/refusals.js"
export type { Plain } from "./wire/values.js"
export type * from "./world/objects.js"
export { labTimes, type Times } from "./world/times.js"
export type { DriverAction, World } from "./world/world.js"
