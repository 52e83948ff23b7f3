import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import type { Group, Limit } from "../../opennebula/index.js"
import { countsIn, quotaRefusal } from "./quota.js"

const free = { limit: "default" as const, used: 0 }
const groupWith = (cpu: { readonly limit: Limit; readonly used: number }, clusterIds = ""): Group => ({
  id: 105,
  name: "acme",
  users: [],
  admins: [],
  template: [],
  quotas: {
    vm: [
      {
        clusterIds,
        cpu,
        memory: free,
        vms: free,
        systemDiskSize: free,
        runningCpu: free,
        runningMemory: free,
        runningVms: free,
        others: []
      }
    ],
    datastores: [],
    networks: [],
    images: []
  }
})
const oneMore = { cpu: 1, memory: 0, disk: 0 }

describe("a group's quota", () => {
  it("refuses what would exceed it, with its figures", () => {
    expect(quotaRefusal(groupWith({ limit: 4, used: 4 }), oneMore, true)?.customerMessage).toBe(
      "The virtual data centre's quota for CPU (4) does not allow this: 4 are in use and 1 more were ordered."
    )
  })

  it("lets pass what fits, what changes nothing, and what has no limit", () => {
    expect(quotaRefusal(groupWith({ limit: 4, used: 3 }), oneMore, true)).toBeUndefined()
    expect(quotaRefusal(groupWith({ limit: 4, used: 5 }), { ...oneMore, cpu: 0 }, true)).toBeUndefined()
    expect(quotaRefusal(groupWith({ limit: "unlimited", used: 99 }), oneMore, true)).toBeUndefined()
    expect(quotaRefusal(groupWith({ limit: "default", used: 99 }), oneMore, true)).toBeUndefined()
    expect(quotaRefusal(groupWith({ limit: 0, used: 0 }, "100"), oneMore, true)).toBeUndefined()
  })

  it("of a disk is that of where it is written: the system datastore's, or with CLONE_TARGET=SELF its image's", () => {
    const growing = { cpu: 0, memory: 0, disk: 1_000 }
    const disk = { id: 0, size: 2_000, imageId: Option.some(7), datastoreId: Option.some(101), type: "RBD" }
    const on = (target: string) => countsIn({ ...disk, target })
    const group = groupWith({ limit: 4, used: 0 })
    const [quota] = group.quotas.vm
    const full = { limit: 5_000, used: 4_500 }
    const full101 = { ...group.quotas, datastores: [{ id: 101, size: full, images: free }] }
    const fullSystem = { ...group.quotas, vm: quota === undefined ? [] : [{ ...quota, systemDiskSize: full }] }
    const refuses = (quotas: Group["quotas"], target: string) =>
      quotaRefusal({ ...group, quotas }, growing, false, on(target)) !== undefined
    expect([refuses(fullSystem, "SYSTEM"), refuses(fullSystem, ""), refuses(full101, "SELF")]).toEqual([
      true,
      true,
      true
    ])
    // Its image's owner pays for what is written into the image.
    expect([refuses(fullSystem, "SELF"), refuses(full101, "SYSTEM"), refuses(full101, "NONE")]).toEqual([
      false,
      false,
      false
    ])
    expect(refuses({ ...full101, vm: [] }, "SELF")).toBe(true)
  })

  it("refuses a shrinking resize too while the usage stays over it, as OpenNebula does", () => {
    expect(quotaRefusal(groupWith({ limit: 2, used: 5 }), { ...oneMore, cpu: -1 }, true)).toBeDefined()
  })
})
