/**
 * A simulated OpenNebula 7.4 front-end: for tests, for the demo, and for whoever writes a plugin without a cloud at hand.
 *
 * It is faithful to a recorded session with a real front-end and shares no code with the agent, so that it keeps the agent honest.
 *
 * How the parts fit: `serve.ts` puts HTTP around `front-end.ts`, which reads a request (`xml-rpc.ts`), finds its method
 * (`dispatch.ts`, `methods.ts`) and lets it change the world (`world.ts`, `objects.ts`). One file per noun holds that noun's
 * methods: groups, users, vdcs, acl, networks, security-groups, routers, templates, images, infrastructure, vms. What happens
 * after a call has returned (booting, shutting down, deleting) is put off by the noun and carried out by the Clock;
 * `vm-machine.ts` is the heart of it. `quotas.ts` and `access.ts` decide what a caller may.
 *
 * Begin with `makeFrontEnd` (no HTTP, time by TestClock) or `serve`.
 */
export { type CallRecord, type FrontEnd, type FrontEndOptions, type HttpAnswer, makeFrontEnd } from "./front-end.js"
export { lockFor } from "./images.js"
export { type CallSeen, ConnectionDropped, type Disturbance, type Interceptor } from "./interception.js"
export type { InitialWorld } from "./lab.js"
export type * from "./objects.js"
export type { Answer } from "./refusals.js"
export { type Served, type ServeOptions, serve } from "./serve.js"
export { labTimes, type Times } from "./times.js"
export type { Plain } from "./values.js"
export { Lcm, VmState } from "./vm-states.js"
export type { DriverAction, World } from "./world.js"
