/** NICs of VMs: found network, leased address, security group rules. */
import { leaseAddress, releaseAddresses } from "../world/leases.js"
import type { Network, User } from "../world/objects.js"
import { type Template, type Vector, vector } from "../world/template.js"
import type { World } from "../world/world.js"

/** The network that a NIC names by id or name, or why there is none. */
export const findNetwork = (world: World, owner: { readonly id: number }, nic: Vector): Network | string => {
  const id = nic.values.get("NETWORK_ID")
  if (id !== undefined) return world.networks.find(Number(id)) ?? `Virtual network with ID: ${id} does not exist`
  const name = nic.values.get("NETWORK")
  if (name === undefined) return "NETWORK_ID or NETWORK is missing in NIC"
  const uid = Number(
    nic.values.get("NETWORK_UID") ?? world.users.byName(nic.values.get("NETWORK_UNAME") ?? "")?.id ?? owner.id
  )
  const found = [...world.networks].find((network) => network.name === name && network.uid === uid)
  return (
    found ?? `User ${uid} does not own a network with name: ${name} . Set NETWORK_UNAME or NETWORK_UID of owner in NIC.`
  )
}

const unionOfIds = (...lists: ReadonlyArray<string | undefined>): string =>
  [...new Set(lists.flatMap((list) => (list ?? "").split(",").filter((id) => id !== "")))]
    .sort((a, b) => Number(a) - Number(b))
    .join(",")

/** Fields that a NIC takes over from its network when they are set there. */
const inherited = ["BRIDGE", "BRIDGE_TYPE", "DNS", "GATEWAY", "PHYDEV", "VLAN_ID", "VN_MAD"]

/** Leases an address for a NIC and returns the NIC as the VM keeps it, or why not. */
export const leaseNic = (world: World, owner: User, vmId: number, nicId: number, given: Vector): Vector | string => {
  const network = findNetwork(world, owner, given)
  if (typeof network === "string") return network
  const address = leaseAddress(network, { kind: "VM", id: vmId }, given.values.get("IP"))
  if (address === undefined) return `Cannot get IP/MAC lease from virtual network ${network.id}.`
  network.vms.add(vmId)
  const fromNetwork = inherited.flatMap((name) => {
    const value = network.template.get(name)
    return value === undefined || value === "" ? [] : [[name, value] as const]
  })
  return vector("NIC", {
    ...Object.fromEntries(given.values),
    ...Object.fromEntries(fromNetwork),
    AR_ID: address.range.id,
    CLUSTER_ID: [...network.clusters].join(","),
    IP: address.ip,
    MAC: address.mac,
    NAME: given.values.get("NAME") ?? `NIC${nicId}`,
    NETWORK: network.name,
    NETWORK_ID: network.id,
    NIC_ID: nicId,
    SECURITY_GROUPS: unionOfIds(network.template.get("SECURITY_GROUPS"), given.values.get("SECURITY_GROUPS")),
    TARGET: `one-${vmId}-${nicId}`
  })
}

/** Gives one NIC's address back; `others` are the VM's remaining NICs. */
export const releaseNic = (world: World, vmId: number, nic: Vector, others: ReadonlyArray<Vector> = []): void => {
  const network = world.networks.find(Number(nic.values.get("NETWORK_ID")))
  if (network === undefined) return
  releaseAddresses(network, { kind: "VM", id: vmId }, nic.values.get("IP"))
  if (!others.some((other) => other !== nic && other.values.get("NETWORK_ID") === nic.values.get("NETWORK_ID")))
    network.vms.delete(vmId)
}

/** Writes the rules of all security groups of the NICs into the template, group by group. */
export const addSecurityRules = (world: World, template: Template): void => {
  template.remove("SECURITY_GROUP_RULE")
  const ids = unionOfIds(...template.vectors("NIC").map((nic) => nic.values.get("SECURITY_GROUPS")))
  for (const id of ids.split(",").filter((one) => one !== "")) {
    const group = world.securityGroups.find(Number(id))
    for (const rule of group?.template.vectors("RULE") ?? [])
      template.add(
        vector("SECURITY_GROUP_RULE", {
          ...Object.fromEntries(rule.values),
          SECURITY_GROUP_ID: id,
          SECURITY_GROUP_NAME: group?.name
        })
      )
  }
}
