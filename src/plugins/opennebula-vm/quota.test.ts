import { describe, expect, it } from "@effect/vitest"
import { Option } from "effect"
import type { Limit, Quotas } from "../../opennebula/index.js"
import { countsIn, type Holder, quotaRefusal, type Wanted } from "./quota.js"

const free = { limit: "default" as const, used: 0 }
const none: Quotas = { vm: [], datastores: [], networks: [], images: [] }
const vmRow = (row: Partial<Quotas["vm"][number]>): Quotas["vm"][number] => ({
  clusterIds: "",
  cpu: free,
  memory: free,
  vms: free,
  systemDiskSize: free,
  runningCpu: free,
  runningMemory: free,
  runningVms: free,
  others: [],
  ...row
})
const vmRows = (...rows: ReadonlyArray<Partial<Quotas["vm"][number]>>): Quotas => ({ ...none, vm: rows.map(vmRow) })
const group = (quotas: Quotas, defaults = none): Holder => ({ kind: "group", id: 105, quotas, defaults })
const groupWith = (cpu: { readonly limit: Limit; readonly used: number }) => group(vmRows({ cpu }))

const inCluster = (id: number) => ({
  history: [
    {
      sequence: 0,
      hostId: 0,
      hostname: "h",
      clusterId: Option.some(id),
      datastoreId: Option.none(),
      action: Option.none()
    }
  ]
})
const wanting = (more: Partial<Wanted>): Wanted => ({ capacity: undefined, disk: 0, running: undefined, ...more })
const oneMore = wanting({ capacity: { cpu: 1, memory: 0 }, running: { vms: 0, cpu: 1, memory: 0 } })
const sentence = (holder: Holder, wanted = oneMore, cluster = 0) =>
  quotaRefusal([holder], inCluster(cluster), wanted)?.customerMessage

describe("a group's quota", () => {
  it("refuses what would exceed it, with its figures", () => {
    expect(sentence(groupWith({ limit: 4, used: 4 }))).toBe(
      "The virtual data centre's quota for CPU (4) does not allow this: 4 are in use and 1 more were ordered."
    )
  })

  it("lets pass what fits, and what has no limit", () => {
    expect(sentence(groupWith({ limit: 4, used: 3 }))).toBeUndefined()
    expect(sentence(groupWith({ limit: "unlimited", used: 99 }))).toBeUndefined()
    expect(sentence(groupWith({ limit: "default", used: 99 }))).toBeUndefined()
    expect(sentence(group(none))).toBeUndefined()
  })

  it("is compared with two decimal places, as OpenNebula keeps it", () => {
    const tenth = wanting({ capacity: { cpu: 0.1, memory: 0 } })
    expect(0.2 + 0.1).toBeGreaterThan(0.3)
    expect(sentence(groupWith({ limit: 0.3, used: 0.2 }), tenth)).toBeUndefined()
  })

  it("of a disk is that of where it is written: the system datastore's, or with CLONE_TARGET=SELF its image's", () => {
    const disk = { id: 0, size: 2_000, imageId: Option.some(7), datastoreId: Option.some(101), type: "RBD" }
    const full = { limit: 5_000, used: 4_500 }
    const full101 = { ...none, datastores: [{ id: 101, size: full, images: free }] }
    const fullSystem = vmRows({ systemDiskSize: full })
    const refuses = (quotas: Quotas, target: string) =>
      quotaRefusal([group(quotas)], inCluster(0), wanting({ disk: 1_000 }), countsIn({ ...disk, target })) !== undefined
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
    const byDefault = group(
      { ...none, datastores: [{ id: 101, size: { ...full, limit: "default" }, images: free }] },
      full101
    )
    expect(quotaRefusal([byDefault], inCluster(0), wanting({ disk: 1_000 }), { datastore: 101 })).toBeDefined()
  })

  it("refuses what shrinks, or stays, too while the usage stays over it, as OpenNebula does", () => {
    const less = wanting({ capacity: { cpu: -1, memory: 0 } })
    expect(sentence(groupWith({ limit: 2, used: 5 }), less)).toBe(
      "The virtual data centre's quota for CPU (2) does not allow this: 5 are in use."
    )
    const memoryAlone = wanting({ capacity: { cpu: 0, memory: 512 } })
    expect(sentence(groupWith({ limit: 2, used: 5 }), memoryAlone)).toContain("for CPU (2)")
    // Neither is asked for where the disk alone grows.
    expect(sentence(groupWith({ limit: 2, used: 5 }), wanting({ disk: 10 }))).toBeUndefined()
  })

  it("is all groups' where its own limit says default", () => {
    const defaults = vmRows({ cpu: { limit: 4, used: 0 }, memory: { limit: "unlimited", used: 0 } })
    expect(sentence(group(vmRows({ cpu: { limit: "default", used: 4 } }), defaults))).toContain("for CPU (4)")
    expect(sentence(group(none, vmRows({ cpu: { limit: 0, used: 0 } })))).toContain("for CPU (0)")
    expect(sentence(group(vmRows({ cpu: { limit: "unlimited", used: 4 } }), defaults))).toBeUndefined()
    expect(sentence(group(vmRows({ cpu: { limit: 9, used: 4 } }), defaults))).toBeUndefined()
  })

  it("of clusters counts for the machines in them, beside the one for all", () => {
    const full = { clusterIds: "7,100", cpu: { limit: 2, used: 2 } }
    expect(sentence(group(vmRows({}, full)), oneMore, 100)).toBe(
      "The virtual data centre's quota for CPU where the machine is (2) does not allow this: 2 are in use and 1 more were ordered."
    )
    expect(sentence(group(vmRows({}, full)), oneMore, 10)).toBeUndefined()
    // All groups' row for clusters counts only where the group has one for the very same.
    expect(sentence(group(vmRows({}), vmRows(full)), oneMore, 100)).toBeUndefined()
    const own = { clusterIds: "7,100", cpu: { limit: "default" as const, used: 2 } }
    expect(sentence(group(vmRows({}, own), vmRows(full)), oneMore, 100)).toContain("where the machine is (2)")
  })

  it("of what runs is asked in full when a machine is started again, whatever of it has changed", () => {
    const lowered = group(vmRows({ runningMemory: { limit: 1_000, used: 3_072 } }))
    const diskAlone = { vms: 0, cpu: 0, memory: 0 }
    expect(sentence(lowered, wanting({ disk: 10, running: diskAlone }))).toBe(
      "The virtual data centre's quota for running memory (1000 MB) does not allow this: 3072 MB are in use."
    )
    expect(sentence(lowered, wanting({ disk: 10 }))).toBeUndefined()
    const paused = group(vmRows({ runningVms: { limit: 0, used: 1 } }))
    expect(sentence(paused, wanting({ disk: 10, running: diskAlone }))).toMatch(/^No machine may run there at present/)
  })
})

describe("the quota of a machine's user", () => {
  it("is asked before its group's, and is nothing that its customer could change", () => {
    const full = vmRows({ cpu: { limit: 4, used: 4 } })
    const user: Holder = { kind: "user", id: 5, quotas: full, defaults: none }
    const refused = quotaRefusal([user, group(full)], inCluster(0), oneMore)
    expect([refused?.customerMessage, refused?.detail]).toEqual([
      "The quota of the machine's owner in the cloud for CPU (4) does not allow this: 4 are in use and 1 more were ordered: ask the provider.",
      "user 5"
    ])
  })
})
