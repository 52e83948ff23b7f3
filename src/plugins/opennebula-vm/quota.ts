/** Would other sizes fit into the group's quota? Asked before a VM is powered off for nothing. */
import { Option } from "effect"
import type { Group, Vm } from "../../opennebula/index.js"
import { OrderRefused } from "../../plugin/index.js"

/** What a resize adds to the group's usage; negative where it shrinks. Memory and disk in MB. */
export interface Growth {
  readonly cpu: number
  readonly memory: number
  readonly disk: number
}

/** Where a disk counts: in SYSTEM_DISK_SIZE, in the SIZE of a datastore, or for whoever owns its image. */
export type CountsIn = "system" | { readonly datastore: number } | "image"

export const countsIn = (disk: Vm["disks"][number] | undefined): CountsIn => {
  const target = disk?.target.toUpperCase()
  if (target === "NONE") return "image"
  if (target !== "SELF" || disk === undefined) return "system"
  return Option.match(disk.datastoreId, { onNone: () => "image" as const, onSome: (datastore) => ({ datastore }) })
}

/** The group's limit that a disk meets, and how much of it is in use. */
const diskQuota = ({ quotas }: Group, disk: CountsIn) => {
  if (disk === "image") return undefined
  return disk === "system"
    ? quotas.vm.find(({ clusterIds }) => clusterIds === "")?.systemDiskSize
    : quotas.datastores.find(({ id }) => id === disk.datastore)?.size
}

/**
 * Only limits that the group has itself are looked at; others (the default of all groups, quotas per cluster) OpenNebula asks when it comes to
 * it. A limit below the usage refuses a shrinking resize too, as OpenNebula does.
 */
export const quotaRefusal = (
  group: Group,
  growth: Growth,
  running: boolean,
  disk: CountsIn = "system"
): OrderRefused | undefined => {
  const quota = group.quotas.vm.find(({ clusterIds }) => clusterIds === "")
  const metrics = [
    ["CPU", quota?.cpu, growth.cpu, ""],
    ["memory", quota?.memory, growth.memory, " MB"],
    ["disk size", diskQuota(group, disk), growth.disk, " MB"],
    ...(running
      ? ([
          ["running CPU", quota?.runningCpu, growth.cpu, ""],
          ["running memory", quota?.runningMemory, growth.memory, " MB"]
        ] as const)
      : [])
  ] as const
  for (const [name, known, more, unit] of metrics) {
    if (known === undefined) continue
    const { limit, used } = known
    if (typeof limit === "number" && more !== 0 && used + more > limit) {
      return new OrderRefused({
        customerMessage: `The virtual data centre's quota for ${name} (${limit}${unit}) does not allow this: ${used}${unit} are in use and ${more}${unit} more were ordered.`,
        detail: `group ${group.id}`
      })
    }
  }
  return undefined
}
