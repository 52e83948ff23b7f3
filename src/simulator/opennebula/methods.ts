/** All methods that the simulated front-end carries out. */
import type { Methods } from "./method.js"
import { accountingMethods } from "./nouns/accounting.js"
import { aclMethods } from "./nouns/acl.js"
import { groupMethods } from "./nouns/groups.js"
import { imageMethods } from "./nouns/images.js"
import { infrastructureMethods } from "./nouns/infrastructure.js"
import { networkLeaseMethods } from "./nouns/network-leases.js"
import { networkMethods } from "./nouns/networks.js"
import { routerMethods } from "./nouns/routers.js"
import { securityGroupMethods } from "./nouns/security-groups.js"
import { systemMethods } from "./nouns/system.js"
import { templateMethods } from "./nouns/templates.js"
import { userMethods } from "./nouns/users.js"
import { vdcMethods } from "./nouns/vdcs.js"
import { vmMethods } from "./vms/vms.js"

export const methods: Methods = {
  ...systemMethods,
  ...groupMethods,
  ...userMethods,
  ...vdcMethods,
  ...aclMethods,
  ...networkMethods,
  ...networkLeaseMethods,
  ...securityGroupMethods,
  ...routerMethods,
  ...templateMethods,
  ...imageMethods,
  ...infrastructureMethods,
  ...vmMethods,
  ...accountingMethods
}
