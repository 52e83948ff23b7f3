/** Virtual networks, their addresses and who holds them. */
import { Option, Schema } from "effect"
import type { XmlElement } from "../wire/answer.js"
import {
  all,
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
import { NetworkState } from "./state.js"

/**
 * Exactly one of the holders is there: a VM, a virtual router (a floating address), a network (a reservation), or none
 * (held by hand: a VM's of id -1, OpenNebula 7.4 `AddressRange::hold_by_ip`).
 */
const Lease = Schema.Struct({
  ip: OptionalText,
  mac: OptionalText,
  vmId: OptionalInt,
  routerId: OptionalInt,
  networkId: OptionalInt
})
const lease = (element: XmlElement) => ({
  ip: text(element, "IP"),
  mac: text(element, "MAC"),
  vmId: text(element, "VM"),
  routerId: text(element, "VROUTER"),
  networkId: text(element, "VNET")
})

export type Lease = typeof Lease.Type

/** By hand: nothing has the address (`one.vn.hold`). */
export const isHeldByHand = ({ networkId, routerId, vmId }: Lease): boolean =>
  [vmId, routerId, networkId].every(Option.isNone)

const AddressRange = Schema.Struct({
  id: Int,
  /** IP4, IP6, IP4_6, ETHER ... */
  type: Schema.String,
  /** The first address; a range of type ETHER has none. */
  ip: OptionalText,
  /** Number of addresses. */
  size: Int,
  /** Only `one.vn.info` lists them; empty in a pool. */
  leases: Schema.Array(Lease)
})
const addressRange = (element: XmlElement) => ({
  id: text(element, "AR_ID"),
  type: text(element, "TYPE"),
  ip: text(element, "IP"),
  size: text(element, "SIZE") || "0",
  leases: all(element, "LEASES", "LEASE").map(lease)
})

/** As `one.vn.info` and `one.vnpool.info` give it (recordings 053, 206). */
export const VirtualNetwork = fromElement(
  Schema.Struct({
    ...ownedFields,
    permissions: Permissions,
    /** "Ready" once it can be used, about 20 ms after the allocate. */
    state: NetworkState,
    /** Not to be deleted. */
    locked: Schema.Boolean,
    clusters: Ids,
    bridge: OptionalText,
    /** VN_MAD: bridge, vxlan, 802.1Q, dummy ... */
    driver: OptionalText,
    physicalDevice: OptionalText,
    vlanId: OptionalText,
    usedLeases: Int,
    /** Of a reservation: the network whose addresses it has, and whose template, owner tag and all (OpenNebula 7.4 `VirtualNetwork::clone_template`). */
    parentId: OptionalInt,
    /** Virtual routers with an interface here. */
    routers: Ids,
    addressRanges: Schema.Array(AddressRange),
    /** GATEWAY, DNS, NETWORK_MASK, SECURITY_GROUPS, and the owner tag. */
    template: TemplateSchema
  }),
  (element) => ({
    ...owned(element),
    permissions: permissions(element),
    state: text(element, "STATE"),
    locked: locked(element),
    clusters: ids(element, "CLUSTERS"),
    bridge: text(element, "BRIDGE"),
    driver: text(element, "VN_MAD"),
    physicalDevice: text(element, "PHYDEV"),
    vlanId: text(element, "VLAN_ID"),
    usedLeases: text(element, "USED_LEASES") || "0",
    parentId: text(element, "PARENT_NETWORK_ID"),
    routers: ids(element, "VROUTERS"),
    addressRanges: all(element, "AR_POOL", "AR").map(addressRange),
    template: template(element)
  })
)
export type VirtualNetwork = typeof VirtualNetwork.Type
