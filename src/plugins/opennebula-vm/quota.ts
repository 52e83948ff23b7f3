/** Would other sizes fit into the group's quota? Asked before a VM is powered off for nothing. */

import type { Group } from "../../opennebula/index.js"
import { OrderRefused } from "../../plugin/index.js"

/** What a resize adds to the group's usage; negative where it shrinks. Memory and disk in MB. */
export interface Growth {
  readonly cpu: number
  readonly memory: number
  readonly disk: number
}

/**
 * Only limits that the group has itself are looked at; others (the default of all groups, quotas per cluster) OpenNebula asks when it comes to
 * it. A limit below the usage refuses a shrinking resize too, as OpenNebula does.
 */
export const quotaRefusal = (group: Group, growth: Growth, running: boolean): OrderRefused | undefined => {
  const quota = group.quotas.vm.find(({ clusterIds }) => clusterIds === "")
  if (quota === undefined) return undefined
  const metrics = [
    ["CPU", quota.cpu, growth.cpu, ""],
    ["memory", quota.memory, growth.memory, " MB"],
    ["disk size", quota.systemDiskSize, growth.disk, " MB"],
    ...(running
      ? ([
          ["running CPU", quota.runningCpu, growth.cpu, ""],
          ["running memory", quota.runningMemory, growth.memory, " MB"]
        ] as const)
      : [])
  ] as const
  for (const [name, { limit, used }, more, unit] of metrics) {
    if (typeof limit === "number" && more !== 0 && used + more > limit) {
      return new OrderRefused({
        customerMessage: `The virtual data centre's quota for ${name} (${limit}${unit}) does not allow this: ${used}${unit} are in use and ${more}${unit} more were ordered.`,
        detail: `group ${group.id}`
      })
    }
  }
  return undefined
}
