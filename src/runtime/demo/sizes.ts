/** What a customer's resource really has in the simulated cloud, by component type: to hold it against what was ordered. */
import { type FrontEnd, Lcm, VmState } from "../../simulator/opennebula/index.js"

export type Sizes = Readonly<Record<string, number>>

/** The limits of a group: those of VMs, and the addresses of network 0. */
export const vdcSizes = ({ world }: FrontEnd, groupId: number): Sizes => {
  const quotas = world.groups.find(groupId)?.quotas
  const vm = quotas?.VM.find(({ key }) => key === "")?.limits
  const addresses = quotas?.NETWORK.find(({ key }) => key === "0")?.limits
  return {
    cpu: vm?.get("CPU") ?? -1,
    ram: vm?.get("MEMORY") ?? -1,
    storage: vm?.get("SYSTEM_DISK_SIZE") ?? -1,
    floating_ip: addresses?.get("LEASES") ?? -1
  }
}

/** Of a VM that runs; of any other nothing. */
export const vmSizes = ({ world }: FrontEnd, vmId: number): Sizes => {
  const vm = world.vms.find(vmId)
  if (vm === undefined || vm.state !== VmState.active || vm.lcm !== Lcm.running) return {}
  const { template } = vm
  return {
    vcpu: Number(template.get("VCPU")),
    vm_ram: Number(template.get("MEMORY")),
    vm_disk: Number(template.vectors("DISK")[0]?.values.get("SIZE"))
  }
}

/** What differs, as a sentence's end; empty if all is as ordered. */
export const difference = (ordered: Sizes, actual: Sizes): string =>
  Object.entries(ordered)
    .filter(([type, amount]) => actual[type] !== amount)
    .map(([type, amount]) => `${type} is ${actual[type] ?? "not there"} instead of ${amount}`)
    .join(", ")
