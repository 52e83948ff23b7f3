/**
 * Virtual networks: READY a moment after they were asked for, deleted a moment after, and never while a lease is out. Both are the IPAM driver's: one that
 * fails leaves an ERROR, one that hangs a lock that no `delete` gets past (OpenNebula 7.4 `IPAMManager::_vnet_create`, `_vnet_delete`,
 * `VirtualNetworkAPI::drop`, `recover`).
 */
import type { Call, Methods } from "../method.js"
import { timeText } from "../vms/scheduler.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { cdata, cdataOrEmpty, element, idList, wrap } from "../wire/xml.js"
import { requireRight, targetOf } from "../world/access.js"
import { briefRangeDocument, rangeDocument, readRange, releaseAddresses, usedLeases } from "../world/leases.js"
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
const inError = 5
const updateFailed = 6
const stateNames: ReadonlyMap<number, string> = new Map([
  [ready, "READY"],
  [creating, "LOCK_CREATE"],
  [deleting, "LOCK_DELETE"],
  [inError, "ERROR"],
  [updateFailed, "UPDATE_FAILURE"]
])

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
      `${network.parent === undefined ? "<PARENT_NETWORK_ID/>" : cdata("PARENT_NETWORK_ID", network.parent)}<TEMPLATE_ID/>` +
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
  const made = world.networks.add((id) => ({
    id,
    name,
    ...ownedBy(world, call.caller),
    permissions: newPermissions,
    clusters: new Set([cluster]),
    state: creating,
    template,
    ranges: [],
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

/** Its address ranges, which were asked for with it, are made only now. */
export const becomeReady = (network: Network): void => {
  for (const given of network.template.vectors("AR")) {
    const range = readRange(given, network.ranges.length)
    if (range !== undefined) network.ranges.push(range)
  }
  network.template.remove("AR")
  network.template.remove("ERROR")
  network.state = ready
}

const fail = (world: World, network: Network, why: string): void => {
  network.state = inError
  network.template.set("ERROR", `${timeText(world)}: ${why}`)
}

/** `one.vn.recover` by its code: to which states it can be put, and what comes of it. */
const recoveries: ReadonlyArray<{
  readonly name: string
  readonly from: ReadonlyArray<number>
  readonly recover: (world: World, network: Network) => void
}> = [
  {
    name: "failure",
    from: [creating, deleting],
    recover: (world, network) => fail(world, network, "Failure forced by user")
  },
  {
    name: "success",
    from: [creating, deleting, inError, updateFailed],
    recover: (world, network) => {
      network.template.remove("ERROR")
      if (network.state === deleting) removeNetwork(world, network)
      // Without its address ranges, if it had none yet.
      else network.state = ready
    }
  },
  { name: "delete", from: [creating, deleting, inError], recover: (world, network) => removeNetwork(world, network) },
  {
    name: "retry",
    from: [updateFailed],
    recover: (_, network) => {
      network.state = ready
    }
  }
]

const removeNetwork = (world: World, network: Network): void => {
  world.networks.remove(network.id)
  const parent = world.networks.find(network.parent ?? -1)
  if (parent !== undefined) releaseAddresses(parent, { kind: "NET", id: network.id })
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
      if (network.state !== creating) return
      if (world.fails("network-create", network.id)) fail(world, network, "dummy")
      else becomeReady(network)
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
    if (network.state === creating || network.state === deleting)
      throw actionRefused(
        `Cannot delete virtual network. Can not remove a Virtual Network, wrong state ${stateNames.get(network.state)}`
      )
    network.ranges.length = 0
    network.state = deleting
    world.later(world.times.networkDelete, () => {
      if (network.state !== deleting) return
      if (world.fails("network-delete", network.id)) fail(world, network, "dummy")
      else removeNetwork(world, network)
    })
    return int(network.id)
  },
  "one.vn.recover": ({ args, caller, world }) => {
    const [network, operation] = [world.networks.get(args.int(0)), args.int(1)]
    const recovery = recoveries[operation]
    if (recovery === undefined) throw actionRefused("Wrong recovery operation code")
    requireRight(world, caller, "ADMIN", target(network))
    if (!recovery.from.includes(network.state))
      throw internalError(
        `Could not perform 'recover ${recovery.name}' on VN ${network.id}, wrong state ${stateNames.get(network.state)}.`
      )
    recovery.recover(world, network)
    return int(network.id)
  }
}
