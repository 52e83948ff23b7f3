/** Virtual networks: READY a moment after they were asked for, deleted a moment after, and never while a lease is out. */
import type { Call, Methods } from "../method.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { cdata, cdataOrEmpty, element, idList, wrap } from "../wire/xml.js"
import { requireRight, targetOf } from "../world/access.js"
import { briefRangeDocument, rangeDocument, readRange, usedLeases } from "../world/leases.js"
import { claimName } from "../world/names.js"
import type { AddressRange, Network } from "../world/objects.js"
import {
  lockDocument,
  newPermissions,
  ownedBy,
  ownedMethods,
  ownerDocument,
  permissionDocument,
  rangeFrom,
  readTemplate,
  selectOwned
} from "../world/owned.js"
import type { Template } from "../world/template.js"
import type { World } from "../world/world.js"
import { dropRulesOn } from "./acl.js"

/** VNET states. */
const ready = 1
const creating = 2
const deleting = 3

/** Network drivers of `oned.conf`, with the attribute that each cannot do without. */
const drivers: Readonly<Record<string, { readonly needs: string; readonly bridgeType: string }>> = {
  dummy: { needs: "BRIDGE", bridgeType: "linux" },
  bridge: { needs: "BRIDGE", bridgeType: "linux" },
  fw: { needs: "BRIDGE", bridgeType: "linux" },
  ebtables: { needs: "BRIDGE", bridgeType: "linux" },
  "802.1Q": { needs: "PHYDEV", bridgeType: "linux" },
  vxlan: { needs: "PHYDEV", bridgeType: "linux" },
  ovswitch: { needs: "BRIDGE", bridgeType: "openvswitch" },
  ovswitch_vxlan: { needs: "PHYDEV", bridgeType: "openvswitch" },
  elastic: { needs: "BRIDGE", bridgeType: "linux" }
}

const vlanDrivers = ["802.1Q", "vxlan", "ovswitch_vxlan"]

const target = (network: Network) => targetOf("NET", network, network.clusters)

const routersOn = (world: World, network: Network): ReadonlyArray<number> =>
  world.routers
    .oldestFirst()
    .filter((router) =>
      router.template.vectors("NIC").some((nic) => nic.values.get("NETWORK_ID") === String(network.id))
    )
    .map((router) => router.id)

const networkDocument = (world: World, network: Network, ranges: (range: AddressRange) => string): string => {
  const field = (name: string) => network.template.get(name) ?? ""
  return wrap(
    "VNET",
    ownerDocument(network) +
      permissionDocument(network.permissions) +
      idList("CLUSTERS", network.clusters) +
      lockDocument(network) +
      cdataOrEmpty("BRIDGE", field("BRIDGE")) +
      cdata("BRIDGE_TYPE", field("BRIDGE_TYPE")) +
      cdata("STATE", network.state) +
      cdata("PREV_STATE", network.state) +
      "<PARENT_NETWORK_ID/><TEMPLATE_ID/>" +
      cdata("VN_MAD", field("VN_MAD")) +
      cdataOrEmpty("PHYDEV", field("PHYDEV")) +
      cdataOrEmpty("VLAN_ID", field("VLAN_ID")) +
      cdataOrEmpty("OUTER_VLAN_ID", field("OUTER_VLAN_ID")) +
      element("VLAN_ID_AUTOMATIC", network.vlanIdAutomatic ? 1 : 0) +
      element("OUTER_VLAN_ID_AUTOMATIC", 0) +
      element("USED_LEASES", usedLeases(network)) +
      idList("VROUTERS", routersOn(world, network)) +
      idList(
        "UPDATED_VMS",
        [...network.vms].sort((a, b) => a - b)
      ) +
      idList("OUTDATED_VMS", []) +
      idList("UPDATING_VMS", []) +
      idList("ERROR_VMS", []) +
      wrap("TEMPLATE", network.template.toXml()) +
      wrap("AR_POOL", network.ranges.map(ranges).join(""))
  )
}

const checkDriver = (template: Template): void => {
  const driver = template.get("VN_MAD")
  if (driver === undefined || driver === "") throw internalError("No VN_MAD in template for Virtual Network.")
  const known = drivers[driver]
  if (known === undefined) throw internalError(`VN_MAD named "${driver}" is not defined in oned.conf`)
  if ((template.get(known.needs) ?? "") === "")
    throw internalError(`Missing ${known.needs} required by the network driver ${driver}.`)
  if (!vlanDrivers.includes(driver) || (template.get("VLAN_ID") ?? "") !== "") return
  if (template.get("AUTOMATIC_VLAN_ID")?.toUpperCase() !== "YES")
    throw internalError(`No VLAN_ID (or AUTOMATIC_VLAN_ID) in template for Virtual Network with driver ${driver}.`)
}

/** The security group 0 protects every network beside those that were asked for (recording 042). */
const securityGroups = (given: string | undefined): string =>
  [...new Set([0, ...(given ?? "").split(",").flatMap((id) => (id.trim() === "" ? [] : [Number(id)]))])]
    .sort((a, b) => a - b)
    .join(",")

/** A new network from its template, not yet READY. Also used for the initial world. */
export const makeNetwork = (world: World, call: Pick<Call, "caller">, template: Template, cluster: number): Network => {
  const name = template.get("NAME") ?? ""
  template.remove("NAME")
  const driver = template.get("VN_MAD") ?? ""
  const automatic = template.get("AUTOMATIC_VLAN_ID")?.toUpperCase() === "YES" && vlanDrivers.includes(driver)
  template.remove("AUTOMATIC_VLAN_ID")
  const given = template.vectors("AR")
  template.remove("AR")
  const ranges: Array<AddressRange> = []
  for (const range of given) {
    const read = readRange(range, ranges.length)
    if (read !== undefined) ranges.push(read)
  }
  const made = world.networks.add((id) => ({
    id,
    name,
    ...ownedBy(world, call.caller),
    permissions: newPermissions,
    clusters: new Set([cluster]),
    state: creating,
    template,
    ranges,
    vlanIdAutomatic: automatic,
    vms: new Set<number>()
  }))
  if (automatic) template.set("VLAN_ID", made.id + 2)
  template.set("BRIDGE_TYPE", drivers[driver]?.bridgeType ?? "linux")
  template.set("SECURITY_GROUPS", securityGroups(template.get("SECURITY_GROUPS")))
  for (const filled of ["PHYDEV", "VLAN_ID", "OUTER_VLAN_ID"])
    if (template.get(filled) === undefined) template.set(filled, "")
  if (template.get("BRIDGE") === undefined) template.set("BRIDGE", `onebr.${template.get("VLAN_ID") ?? made.id}`)
  return made
}

const removeNetwork = (world: World, network: Network): void => {
  world.networks.remove(network.id)
  for (const vdc of world.vdcs) vdc.resources.NET.delete(network.id)
  dropRulesOn(world, "NET", network.id)
}

export const networkMethods: Methods = {
  ...ownedMethods<Network>({
    prefix: "vn",
    kind: "NET",
    pool: (world) => world.networks,
    clusters: (network) => network.clusters,
    uniqueNames: true,
    template: (network) => network.template
  }),
  "one.vn.allocate": (call) => {
    const { args, caller, world } = call
    const [text, cluster] = [args.string(0), args.int(1, -1)]
    const template = readTemplate(text, internalError)
    requireRight(world, caller, "CREATE", { kind: "NET" })
    if (cluster >= 0) world.clusters.get(cluster)
    checkDriver(template)
    const rivals = [...world.networks].filter((other) => other.uid === caller.id)
    claimName(template.get("NAME") ?? "", "NET", rivals)
    const network = makeNetwork(world, call, template, Math.max(cluster, 0))
    world.later(world.times.networkReady, () => {
      if (network.state === creating) network.state = ready
    })
    return int(network.id)
  },
  "one.vn.info": ({ args, caller, world }) => {
    const network = world.networks.get(args.int(0))
    requireRight(world, caller, "USE", target(network))
    return string(networkDocument(world, network, rangeDocument))
  },
  "one.vnpool.info": (call) => {
    const networks = selectOwned(call, call.world.networks, target, rangeFrom(call))
    return string(
      wrap("VNET_POOL", networks.map((network) => networkDocument(call.world, network, briefRangeDocument)).join(""))
    )
  },
  "one.vn.add_ar": ({ args, caller, world }) => {
    const [id, text] = [args.int(0), args.string(1)]
    const network = world.networks.get(id)
    requireRight(world, caller, "ADMIN", target(network))
    for (const given of readTemplate(text, internalError).vectors("AR")) {
      const range = readRange(given, Math.max(-1, ...network.ranges.map((known) => known.id)) + 1)
      if (range === undefined) throw internalError("Wrong or missing AR attributes")
      network.ranges.push(range)
    }
    return int(id)
  },
  "one.vn.delete": ({ args, caller, world }) => {
    const network = world.networks.get(args.int(0))
    requireRight(world, caller, "MANAGE", target(network))
    if (usedLeases(network) > 0)
      throw actionRefused("Cannot delete virtual network. Can not remove a virtual network with leases in use")
    network.state = deleting
    world.later(world.times.networkDelete, () => removeNetwork(world, network))
    return int(network.id)
  }
}
