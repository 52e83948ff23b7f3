import { describe, expect, it } from "@effect/vitest"
import type { Group, Limit } from "../../opennebula/index.js"
import { quotaRefusal } from "./quota.js"

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

  it("refuses a shrinking resize too while the usage stays over it, as OpenNebula does", () => {
    expect(quotaRefusal(groupWith({ limit: 2, used: 5 }), { ...oneMore, cpu: -1 }, true)).toBeDefined()
  })
})
