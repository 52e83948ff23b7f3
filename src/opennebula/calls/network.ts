/** `one.vn.*`: virtual networks; `one.secgroup.*`: security groups. */
import type { OpenNebulaClient } from "../client.js"
import { documentOf, poolOf } from "../model/element.js"
import { VirtualNetwork } from "../model/network.js"
import { SecurityGroup } from "../model/router.js"
import { type Template, vector } from "../template/template.js"
import {
  type Call,
  chmod,
  chown,
  command,
  everything,
  id,
  type TemplateCall,
  updates,
  withTemplate
} from "./support.js"

const networkInfo = documentOf(VirtualNetwork)
const securityGroupInfo = documentOf(SecurityGroup)

export const networkCalls = (client: OpenNebulaClient) => ({
  /** `one.vnpool.info`: all networks; leases are not listed there (recording 206). */
  list: (): Call<ReadonlyArray<VirtualNetwork>> =>
    client.call("one.vnpool.info", everything, poolOf("VNET", VirtualNetwork)),

  /** `one.vn.info` with every lease (recording 053). NoSuchObject. */
  info: (networkId: number): Call<VirtualNetwork> => client.call("one.vn.info", [networkId], networkInfo),

  /**
   * `one.vn.allocate` (recording 041): the new network's id; it is "Ready" about 20 ms later. `NAME`, `VN_MAD` and what
   * that driver needs (vxlan: PHYDEV and VLAN_ID or AUTOMATIC_VLAN_ID; others: BRIDGE), `AR=[TYPE, IP, SIZE]`. A bad AR
   * is dropped without an error (recording 407): read back. NameTaken, InvalidName, InternalRefusal (recordings 403 to
   * 410).
   */
  allocate: (template: Template, clusterId: number): TemplateCall<number> =>
    withTemplate(template, (text) => client.call("one.vn.allocate", [text, clusterId], id)),

  /** `one.vn.update` (recording 333). */
  ...updates(client, "one.vn.update"),

  /** `one.vn.chown` (recording 044). */
  chown: chown(client, "one.vn.chown"),

  /** `one.vn.chmod` (recording 045). */
  chmod: chmod(client, "one.vn.chmod"),

  /** `one.vn.release` of an address that was held by hand (not recorded; OpenNebula 7.4 `VirtualNetwork::free_leases`: a VM's stays). */
  releaseHeld: (networkId: number, ip: string): TemplateCall<void> =>
    withTemplate([vector("LEASES", { IP: ip })], (text) => command(client, "one.vn.release", [networkId, text])),

  /**
   * `one.vn.delete` (recordings 446, 474). ActionRefused while leases are held, a router's floating address and
   * reservations among them. Asynchronous: gone some 40 ms later.
   */
  delete: (networkId: number): Call<void> => command(client, "one.vn.delete", [networkId])
})

export const securityGroupCalls = (client: OpenNebulaClient) => ({
  /** `one.secgrouppool.info` (recording 208). */
  list: (): Call<ReadonlyArray<SecurityGroup>> =>
    client.call("one.secgrouppool.info", everything, poolOf("SECURITY_GROUP", SecurityGroup)),

  /** `one.secgroup.info` (recording 040). NoSuchObject. */
  info: (securityGroupId: number): Call<SecurityGroup> =>
    client.call("one.secgroup.info", [securityGroupId], securityGroupInfo),

  /**
   * `one.secgroup.allocate` (recording 038): the new id. `NAME`, and `RULE=[PROTOCOL, RULE_TYPE, RANGE, ...]` any
   * number of times. NameTaken, InternalRefusal (recordings 423, 424).
   */
  allocate: (template: Template): TemplateCall<number> =>
    withTemplate(template, (text) => client.call("one.secgroup.allocate", [text], id)),

  /** `one.secgroup.update`. RULE vectors of the same name are replaced together. */
  ...updates(client, "one.secgroup.update"),

  /** `one.secgroup.chown` (recording 039). */
  chown: chown(client, "one.secgroup.chown"),

  /** `one.secgroup.chmod` (recording 169). */
  chmod: chmod(client, "one.secgroup.chmod"),

  /** `one.secgroup.delete` (recordings 447, 479). ActionRefused while VMs use it. */
  delete: (securityGroupId: number): Call<void> => command(client, "one.secgroup.delete", [securityGroupId])
})
