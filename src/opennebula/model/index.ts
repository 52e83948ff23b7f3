/**
 * What OpenNebula's documents mean. One file a noun: a schema from an XML element to a plain record, with named states,
 * numbers in stated units and `Option` for what may be missing. `element.ts` has the few tools they are made of;
 * `vmState.ts` is the table of all VM states.
 */
export {
  type AclResource,
  type AclRight,
  type AclRule,
  type AclRuleSpec,
  type AclTarget,
  aclCluster,
  aclId,
  sameAclRule
} from "./acl.js"
export { GroupShort, type GroupWithQuotas } from "./group.js"
export { HistoryRecord } from "./history.js"
export { type Host, Image, VmTemplate } from "./infrastructure.js"
export { isHeldByHand, VirtualNetwork } from "./network.js"
export { type Limit, Quotas, type QuotaUsage } from "./quotas.js"
export { SecurityGroup, VirtualRouter } from "./router.js"
export { storedPassword, User } from "./user.js"
export { Vdc } from "./vdc.js"
export { hasFailedToResume, type SeenVm, Vm, VmShort } from "./vm.js"
export { isVmFailure, type UnlistedVmState, type VmState, type VmStateName, vmStateText } from "./vmState.js"
