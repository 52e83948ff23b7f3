/** What an update has to change of a VM, decided before it is touched. */
import { Schema } from "effect"
import type { Vm } from "../../opennebula/index.js"
import { OrderRefused } from "../../plugin/index.js"
import { factsOf, VmFacts } from "./machine.js"
import { bootDisk, type Sizes } from "./ordered/sizes.js"
import type { VmSettings } from "./settings.js"

/** The VM as it was: what an undo goes back to. */
export const Before = Schema.Struct({
  facts: VmFacts,
  running: Schema.Boolean,
  /** Its share of real cores; may be a fraction where the template says so. */
  cpu: Schema.Number,
  /** DISK_ID of the disk that it boots from. */
  disk: Schema.optional(Schema.Int)
})
export type Before = typeof Before.Type

export const beforeOf = (vm: Vm): Before => {
  const disk = bootDisk(vm)
  return {
    facts: factsOf(vm),
    running: vm.state === "Running",
    cpu: vm.cpu,
    ...(disk === undefined ? {} : { disk: disk.id })
  }
}

export interface Capacity {
  readonly cpu?: number
  readonly vcpu?: number
  /** MB */
  readonly memory?: number
}

export interface Change {
  /** Sizes afterwards. */
  readonly target: Sizes
  /** Of CPU and memory, what differs. */
  readonly capacity: Capacity | undefined
  /** The disk to grow, and its new size in MB. */
  readonly disk: { readonly id: number; readonly size: number } | undefined
  /** The machine is as it was ordered. */
  readonly none: boolean
}

/** With `keep`, a disk that was ordered smaller stays as it is. */
export const changeOf = (before: Before, ordered: Partial<Sizes>, policy: VmSettings["disk_shrink"]): Change => {
  const now = before.facts.sizes
  const asked = ordered.disk ?? now.disk
  const target = {
    vcpu: ordered.vcpu ?? now.vcpu,
    ram: ordered.ram ?? now.ram,
    disk: policy === "keep" ? Math.max(asked, now.disk) : asked
  }
  const capacity = {
    ...(target.vcpu === now.vcpu ? {} : { cpu: target.vcpu, vcpu: target.vcpu }),
    ...(target.ram === now.ram ? {} : { memory: target.ram })
  }
  const sameCapacity = Object.keys(capacity).length === 0
  return {
    target,
    capacity: sameCapacity ? undefined : capacity,
    disk: before.disk === undefined || target.disk <= now.disk ? undefined : { id: before.disk, size: target.disk },
    none: sameCapacity && target.disk === now.disk
  }
}

/** CPU and memory as they were, of what the change touches. */
export const capacityBefore = (before: Before, { vcpu, memory }: Capacity): Capacity => ({
  ...(vcpu === undefined ? {} : { cpu: before.cpu, vcpu: before.facts.sizes.vcpu }),
  ...(memory === undefined ? {} : { memory: before.facts.sizes.ram })
})

export const diskRefusal = (
  before: Before,
  ordered: Partial<Sizes>,
  policy: VmSettings["disk_shrink"]
): OrderRefused | undefined => {
  const now = before.facts.sizes.disk
  if (ordered.disk === undefined) return undefined
  if (before.disk === undefined)
    return new OrderRefused({ customerMessage: "The machine has no disk that could have the ordered size." })
  return policy === "reject" && ordered.disk < now
    ? new OrderRefused({
        customerMessage: `A disk cannot shrink: it has ${now} MB and ${ordered.disk} MB was ordered; choose a plan with at least ${now} MB.`
      })
    : undefined
}
