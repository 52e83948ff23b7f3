/** All methods that the simulated front-end carries out. */
import { accountingMethods } from "./accounting.js"
import { aclMethods } from "./acl.js"
import { groupMethods } from "./groups.js"
import { imageMethods } from "./images.js"
import { infrastructureMethods } from "./infrastructure.js"
import type { Methods } from "./method.js"
import { networkMethods } from "./networks.js"
import { routerMethods } from "./routers.js"
import { securityGroupMethods } from "./security-groups.js"
import { systemMethods } from "./system.js"
import { templateMethods } from "./templates.js"
import { userMethods } from "./users.js"
import { vdcMethods } from "./vdcs.js"
import { vmMethods } from "./vms.js"

export const methods: Methods = {
  ...systemMethods,
  ...groupMethods,
  ...userMethods,
  ...vdcMethods,
  ...aclMethods,
  ...networkMethods,
  ...securityGroupMethods,
  ...routerMethods,
  ...templateMethods,
  ...imageMethods,
  ...infrastructureMethods,
  ...vmMethods,
  ...accountingMethods
}
