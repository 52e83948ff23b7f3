/** Quotas of users and groups: limits, and how far they are used. */
import { Schema } from "effect"
import type { XmlElement } from "../wire/answer.js"
import { all, Decimal, find, fromElement, Int, text } from "./element.js"

/** A limit: -1 is the default quota of all groups, -2 is none at all (OpenNebula 7.4). Sizes in MB, CPU in cores. */
export type Limit = number | "default" | "unlimited"

const isLimit = (input: unknown): input is Limit =>
  typeof input === "number" || input === "default" || input === "unlimited"
const LimitSchema = Schema.transform(Decimal, Schema.declare(isLimit, { identifier: "Limit" }), {
  strict: true,
  decode: (value): Limit => (value === -1 ? "default" : value === -2 ? "unlimited" : value),
  encode: (value) => limitNumber(value)
})
export const limitNumber = (limit: Limit): number => (limit === "default" ? -1 : limit === "unlimited" ? -2 : limit)

const Usage = Schema.Struct({ limit: LimitSchema, used: Decimal })
export type QuotaUsage = typeof Usage.Type
/** A limit that OpenNebula does not list is the default one. */
const usage = (element: XmlElement, metric: string) => ({
  limit: text(element, metric) || "-1",
  used: text(element, `${metric}_USED`) || "0"
})

const VmQuota = Schema.Struct({
  /** The clusters that this row is for; empty: it is for all. */
  clusterIds: Schema.String,
  /** cores */
  cpu: Usage,
  /** MB */
  memory: Usage,
  vms: Usage,
  /** MB; here the disks of VMs count, not in the datastore rows. */
  systemDiskSize: Usage,
  runningCpu: Usage,
  runningMemory: Usage,
  runningVms: Usage,
  /** Of what else there is, where it is limited: PCI devices (recording 118), and what oned.conf names as QUOTA_VM_ATTRIBUTE. */
  others: Schema.Array(Schema.Struct({ metric: Schema.String, limit: LimitSchema }))
})
/** What OpenNebula calls the limits that are known here. */
export const vmMetrics = {
  cpu: "CPU",
  memory: "MEMORY",
  vms: "VMS",
  systemDiskSize: "SYSTEM_DISK_SIZE",
  runningCpu: "RUNNING_CPU",
  runningMemory: "RUNNING_MEMORY",
  runningVms: "RUNNING_VMS"
} as const
const knownMetrics: ReadonlySet<string> = new Set(["CLUSTER_IDS", ...Object.values(vmMetrics)])
/** A metric has its usage beside it. */
const otherMetrics = (element: XmlElement) =>
  element.children.flatMap(({ name, text: limit }) =>
    limit === "-1" || knownMetrics.has(name) || find(element, `${name}_USED`) === undefined
      ? []
      : [{ metric: name, limit }]
  )
const vmQuota = (element: XmlElement) => ({
  clusterIds: text(element, "CLUSTER_IDS"),
  cpu: usage(element, vmMetrics.cpu),
  memory: usage(element, vmMetrics.memory),
  vms: usage(element, vmMetrics.vms),
  systemDiskSize: usage(element, vmMetrics.systemDiskSize),
  runningCpu: usage(element, vmMetrics.runningCpu),
  runningMemory: usage(element, vmMetrics.runningMemory),
  runningVms: usage(element, vmMetrics.runningVms),
  others: otherMetrics(element)
})

/** What an object's quotas are and how far they are used. Rows that were never set are not there. */
export const Quotas = Schema.Struct({
  /** Usually one row; more where quotas are set per cluster. The row for all clusters has empty `clusterIds`. */
  vm: Schema.Array(VmQuota),
  datastores: Schema.Array(Schema.Struct({ id: Int, size: Usage, images: Usage })),
  networks: Schema.Array(Schema.Struct({ id: Int, leases: Usage })),
  images: Schema.Array(Schema.Struct({ id: Int, runningVms: Usage }))
})
export type Quotas = typeof Quotas.Type
export const quotas = (element: XmlElement) => ({
  vm: all(element, "VM_QUOTA", "VM").map(vmQuota),
  datastores: all(element, "DATASTORE_QUOTA", "DATASTORE").map((row) => ({
    id: text(row, "ID"),
    size: usage(row, "SIZE"),
    images: usage(row, "IMAGES")
  })),
  networks: all(element, "NETWORK_QUOTA", "NETWORK").map((row) => ({
    id: text(row, "ID"),
    leases: usage(row, "LEASES")
  })),
  images: all(element, "IMAGE_QUOTA", "IMAGE").map((row) => ({ id: text(row, "ID"), runningVms: usage(row, "RVMS") }))
})

const nothing: XmlElement = { name: "", text: "", children: [] }

/** Whose quotas are asked: its own, and those of all its kind, which count where its own say "default" (recordings 118, 259). */
export const ownAndDefault = { id: Int, quotas: Quotas, defaults: Quotas }
export const inOwnAndDefault = (element: XmlElement, defaults: "DEFAULT_GROUP_QUOTAS" | "DEFAULT_USER_QUOTAS") => ({
  id: text(element, "ID"),
  quotas: quotas(element),
  defaults: quotas(find(element, defaults) ?? nothing)
})

/** A user's, as `one.user.info` gives them (recordings 084, 256). */
export const UserQuotas = fromElement(Schema.Struct(ownAndDefault), (element) =>
  inOwnAndDefault(element, "DEFAULT_USER_QUOTAS")
)
export type UserQuotas = typeof UserQuotas.Type
