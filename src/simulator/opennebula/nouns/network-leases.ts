/** Addresses of a virtual network that are no VM's: held by hand, and reserved for a network of their own (OpenNebula 7.4 `VirtualNetworkAPI.cc`). */
import type { Call, Methods } from "../method.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int } from "../wire/values.js"
import { requireRight, targetOf } from "../world/access.js"
import { holdAddress, releaseAddresses, reserveAddresses } from "../world/leases.js"
import { claimName } from "../world/names.js"
import type { Network } from "../world/objects.js"
import { newPermissions, ownedBy, readTemplate } from "../world/owned.js"
import { requireQuota } from "../world/quotas.js"
import type { Template } from "../world/template.js"

const ready = 1
const updateFailed = 6
/** What `vn.hold` writes where a VM's id would stand (7.4 `AddressRange::hold_by_ip`). */
const byHand = { kind: "HOLD", id: -1 } as const

/** The address that a call is about; its network has to be in use for that. */
const leaseOf = (call: Call): { readonly network: Network; readonly ip: string } => {
  const network = call.world.networks.get(call.args.int(0))
  requireRight(call.world, call.caller, "MANAGE", targetOf("NET", network, network.clusters))
  const given = readTemplate(call.args.string(1), internalError)
  if (network.state !== ready && network.state !== updateFailed)
    throw actionRefused("Virtual Network is in wrong state: it is not ready")
  const ip = given.vectors("LEASES")[0]?.values.get("IP")
  if (given.vectors("LEASES").length === 0) throw internalError("Empty lease description.")
  if (ip === undefined) throw internalError("Missing MAC, IP or IP6.")
  return { network, ip }
}

const number = (template: Template, name: string): number => Number.parseInt(template.get(name) ?? "0", 10)

/** What a reservation has of its network: its whole template, owner tags and all (7.4 `VirtualNetwork::clone_template`). */
const reservation = (call: Call, parent: Network, name: string): Network => {
  const template = parent.template.copy()
  template.remove("NAME")
  return call.world.networks.add((id) => ({
    id,
    name,
    ...ownedBy(call.world, call.caller),
    permissions: newPermissions,
    clusters: new Set(parent.clusters),
    state: ready,
    template,
    ranges: [],
    vlanIdAutomatic: false,
    vms: new Set<number>(),
    parent: parent.id
  }))
}

export const networkLeaseMethods: Methods = {
  "one.vn.hold": (call) => {
    const { ip, network } = leaseOf(call)
    if (!holdAddress(network, byHand, ip)) throw internalError("Address is not part of the address range or in use.")
    return int(network.id)
  },
  "one.vn.release": (call) => {
    const { ip, network } = leaseOf(call)
    releaseAddresses(network, byHand, ip)
    return int(network.id)
  },
  /** With a new network for it: a name and a size. Whoever may use a network may do that. */
  "one.vn.reserve": (call) => {
    const { args, caller, world } = call
    const template = readTemplate(args.string(1), actionRefused)
    const parent = world.networks.get(args.int(0))
    const size = number(template, "SIZE")
    if (!(size > 0)) throw actionRefused("Reservation SIZE must be a greater than 0")
    const name = template.get("NAME") ?? ""
    if (name === "") throw actionRefused("NAME for reservation has to be set")
    if (parent.parent !== undefined) throw actionRefused("Cannot reserve addresses from a reserved VNET")
    requireRight(world, caller, "USE", targetOf("NET", parent, parent.clusters))
    claimName(
      name,
      "NET",
      [...world.networks].filter(({ uid }) => uid === caller.id)
    )
    const leases = new Map([[String(parent.id), new Map([["LEASES", size]])]])
    requireQuota(world, caller.id, { uid: caller.id, gid: caller.gid }, { NETWORK: leases })
    const made = reservation(call, parent, name)
    const range = reserveAddresses(parent, made.id, size)
    if (range === undefined) {
      world.networks.remove(made.id)
      throw actionRefused("Not enough free addresses in an address range")
    }
    made.ranges.push(range)
    return int(made.id)
  }
}
