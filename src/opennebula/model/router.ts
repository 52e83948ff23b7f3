/** Virtual routers and security groups. */
import { Schema } from "effect"
import type { XmlElement } from "../wire/answer.js"
import {
  all,
  Flag,
  fromElement,
  Ids,
  Int,
  ids,
  OptionalInt,
  OptionalText,
  TemplateSchema,
  template,
  text
} from "./element.js"
import { locked, owned, ownedFields, Permissions, permissions } from "./permissions.js"

const RouterNic = Schema.Struct({
  id: Int,
  networkId: OptionalInt,
  network: Schema.String,
  /** Whether the router holds an address of its own here, beside those of its VMs. */
  floating: Flag,
  /** That address. */
  ip: OptionalText
})
const routerNic = (element: XmlElement) => ({
  id: text(element, "NIC_ID"),
  networkId: text(element, "NETWORK_ID"),
  network: text(element, "NETWORK"),
  floating: text(element, "FLOATING_IP"),
  ip: text(element, "VROUTER_IP")
})

/** As `one.vrouter.info` gives it (recording 055). Its VMs are there after `instantiate` only. */
export const VirtualRouter = fromElement(
  Schema.Struct({
    ...ownedFields,
    permissions: Permissions,
    /** Not to be deleted. */
    locked: Schema.Boolean,
    vms: Ids,
    nics: Schema.Array(RouterNic),
    template: TemplateSchema
  }),
  (element) => ({
    ...owned(element),
    permissions: permissions(element),
    locked: locked(element),
    vms: ids(element, "VMS"),
    nics: all(element, "TEMPLATE", "NIC").map(routerNic),
    template: template(element)
  })
)
export type VirtualRouter = typeof VirtualRouter.Type

/** As `one.secgroup.info` gives it (recording 040). Its rules are the RULE vectors of its template. */
export const SecurityGroup = fromElement(
  Schema.Struct({
    ...ownedFields,
    permissions: Permissions,
    /** VMs that have its rules in force. */
    vms: Ids,
    template: TemplateSchema
  }),
  (element) => ({
    ...owned(element),
    permissions: permissions(element),
    vms: ids(element, "UPDATED_VMS"),
    template: template(element)
  })
)
export type SecurityGroup = typeof SecurityGroup.Type
