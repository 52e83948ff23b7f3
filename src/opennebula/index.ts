/**
 * OpenNebula, as the plugins see it: typed calls, named states, tagged errors. Nothing here knows of Waldur or of
 * orders.
 *
 * ```
 * connect(settings)           service.ts   one connection per front-end and user, shared by all offerings that name it
 *   one.group.allocate(...)   calls/       one function per method: what goes in, what comes out, which errors
 *                             model/       what the answers mean: schemas over XML elements, states by name
 *                             template/    what is sent: the one serializer, owner tags, merging for `instantiate`
 *   watcher.watch(vm, ...)    watching/    all VMs that anybody waits for, in one call
 * client.ts, endpoints.ts     wire/        one call: encoded, in its turn, sent, decoded as it streams in
 * errors.ts                                what can go wrong, and what follows from it
 * ```
 *
 * Begin with `calls/openNebula.ts`, the list of all nouns; then `watching/watcher.ts`. How the front-end really behaves stands
 * at the calls, with the number of the recording (`test/fixtures/opennebula`) that shows it.
 */
export { type GroupRule, groupRule } from "./calls/acl.js"
export type { VmInstance } from "./calls/infrastructure.js"
export { makeOpenNebula, type OpenNebulaService } from "./calls/openNebula.js"
export { type Quota, unmetQuota, type VmLimits } from "./calls/quota.js"
export type { RouterInstance } from "./calls/router.js"
export type { NewOwner, PermissionChanges } from "./calls/support.js"
export type { NewUser } from "./calls/user.js"
export type { Capacity, VmAction } from "./calls/vm.js"
export { type OpenNebulaClient, type OpenNebulaSettings, withCallOwner } from "./client.js"
export * from "./errors.js"
export * from "./model/index.js"
export { isSupportedRelease, lowestRelease, testedRelease } from "./releases.js"
export { connect, type OpenNebulaConnection, OpenNebulaConnections, openNebulaShared } from "./service.js"
export * from "./template/index.js"
export type { VmWatcher } from "./watching/watcher.js"
