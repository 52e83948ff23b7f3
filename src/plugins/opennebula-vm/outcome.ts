/** What the marketplace is told of a VM that runs as ordered. */
import type { Outcome } from "../../plugin/index.js"
import type { VmFacts } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { reportedLimits } from "./ordered/sizes.js"

/** `vm_id` and `ip_address` are the Python agent's keys; sizes are those that were read back, in MB; `vm_stime` tells this
 * machine from any that ever gets its id (`isAsMade`); `group_id` is the data centre that it is in (`groupFindings`). `access`: how to reach what runs on it. */
export const outcomeOf = (
  { components, settings }: VmOffering,
  vm: VmFacts,
  access: Pick<Outcome, "metadata" | "endpoints"> = {}
): Outcome => {
  const amounts = reportedLimits(components, vm.sizes, settings.report_fixed_limits)
  return {
    backendId: String(vm.id),
    metadata: {
      vm_id: vm.id,
      ip_address: vm.address,
      vcpu: vm.sizes.vcpu,
      ram_mb: vm.sizes.ram,
      disk_mb: vm.sizes.disk,
      ...(vm.startedAt === undefined ? {} : { vm_stime: vm.startedAt }),
      ...(vm.group === undefined ? {} : { group_id: vm.group }),
      ...access.metadata
    },
    ...(access.endpoints === undefined || access.endpoints.length === 0 ? {} : { endpoints: access.endpoints }),
    ...(Object.keys(amounts).length === 0 ? {} : { amounts })
  }
}
