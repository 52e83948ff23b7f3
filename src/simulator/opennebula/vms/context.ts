/** The CONTEXT of a VM: what the guest gets to know about its network. */
import type { User } from "../world/objects.js"
import type { Template, Vector } from "../world/template.js"
import type { World } from "../world/world.js"

/** `ETHn_*` in the context, and where each comes from; undefined: always empty here. */
const fields: Readonly<Record<string, { readonly nic?: string; readonly network?: string }>> = {
  DNS: { network: "DNS" },
  EXTERNAL: { nic: "EXTERNAL" },
  GATEWAY: { network: "GATEWAY" },
  IP: { nic: "IP" },
  IP6: { nic: "IP6" },
  IP6_GATEWAY: { network: "GATEWAY6" },
  IP6_METHOD: { network: "IP6_METHOD" },
  IP6_METRIC: { network: "IP6_METRIC" },
  IP6_PREFIX_LENGTH: {},
  IP6_ULA: {},
  MAC: { nic: "MAC" },
  MASK: { network: "NETWORK_MASK" },
  METHOD: { network: "METHOD" },
  METRIC: { network: "METRIC" },
  MTU: { network: "GUEST_MTU" },
  NETWORK: { network: "NETWORK_ADDRESS" },
  ROUTES: { network: "ROUTES" },
  SEARCH_DOMAIN: { network: "SEARCH_DOMAIN" },
  VLAN_ID: { network: "VLAN_ID" },
  VROUTER_IP: { nic: "VROUTER_IP" },
  VROUTER_IP6: {},
  VROUTER_MANAGEMENT: { nic: "VROUTER_MANAGEMENT" }
}

const interfaceEntries = (world: World, nic: Vector): ReadonlyArray<readonly [string, string]> => {
  const network = world.networks.find(Number(nic.values.get("NETWORK_ID")))
  return Object.entries(fields).map(([name, source]) => {
    const fromNic = source.nic === undefined ? undefined : nic.values.get(source.nic)
    const fromNetwork = source.network === undefined ? undefined : network?.template.get(source.network)
    return [`ETH${nic.values.get("NIC_ID")}_${name}`, fromNic ?? fromNetwork ?? ""] as const
  })
}

/** `$USER[X]` becomes the user's attribute; other variables stay. */
const substitute = (text: string, owner: User): string =>
  text.replace(/\$USER\[(\w+)\]/g, (_, name: string) => owner.template.get(name.toUpperCase()) ?? "")

/** The context's network entries, from the NICs that there are now. */
export const refreshInterfaces = (world: World, template: Template): void => {
  const context = template.vectors("CONTEXT")[0]
  if (context === undefined || context.values.get("NETWORK")?.toUpperCase() !== "YES") return
  template.change(context, (values) => {
    for (const key of context.values.keys()) if (/^ETH\d+_/.test(key)) values.delete(key)
    for (const nic of template.vectors("NIC"))
      for (const [key, value] of interfaceEntries(world, nic)) values.set(key, value)
  })
}

/** Completes a new VM's context: variables, its own disk, network and virtual router entries. */
export const fillContext = (world: World, owner: User, template: Template): void => {
  const context = template.vectors("CONTEXT")[0]
  if (context === undefined) return
  template.change(context, (values) => {
    for (const [key, value] of context.values) values.set(key, substitute(value, owner))
    values.set("DISK_ID", String(template.vectors("DISK").length))
    values.set("TARGET", "hda")
    for (const name of ["VROUTER_ID", "VROUTER_KEEPALIVED_ID"]) {
      const value = template.get(name)
      if (value !== undefined) values.set(name, value)
    }
  })
  refreshInterfaces(world, template)
}
