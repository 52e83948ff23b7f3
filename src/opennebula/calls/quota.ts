/** What a group may use at most: the text of `one.group.quota`, and whether it took. */
import { type Limit, limitNumber, type Quotas, vmMetrics } from "../model/quotas.js"
import { type Template, vector } from "../template/template.js"

/** Limits for VMs. A metric left out is set to "default": OpenNebula resets it. */
export interface VmLimits {
  /** cores, may be a fraction */
  readonly cpu?: Limit
  /** MB */
  readonly memory?: Limit
  readonly vms?: Limit
  /** MB, all disks of all VMs */
  readonly systemDiskSize?: Limit
  readonly runningCpu?: Limit
  /** MB */
  readonly runningMemory?: Limit
  readonly runningVms?: Limit
  /** What else the group is limited in: said again, as it would be reset as well. */
  readonly others?: ReadonlyArray<{ readonly metric: string; readonly limit: Limit }>
}

/** A row counts only for exactly that id: there is no row for "all datastores" or "all networks". */
export interface Quota {
  readonly vm?: VmLimits
  /** `size` in MB, of images; the disks of VMs count in `systemDiskSize`. */
  readonly datastores?: ReadonlyArray<{ readonly id: number; readonly size?: Limit; readonly images?: Limit }>
  readonly networks?: ReadonlyArray<{ readonly id: number; readonly leases: Limit }>
}

const metrics = vmMetrics satisfies Record<Exclude<keyof VmLimits, "others">, string>
const fractional: ReadonlySet<string> = new Set(["CPU", "RUNNING_CPU"])

const limitsOf = (vm: VmLimits): ReadonlyArray<readonly [metric: string, limit: Limit]> => {
  const found: Array<readonly [string, Limit]> = []
  for (const key in metrics) {
    if (!isMetric(key)) continue
    const limit = vm[key]
    if (limit !== undefined) found.push([metrics[key], limit])
  }
  return found
}
const isMetric = (key: string): key is keyof typeof metrics => key in metrics

const othersOf = ({ others }: VmLimits): ReadonlyArray<readonly [metric: string, limit: Limit]> =>
  (others ?? []).map(({ limit, metric }) => [metric, limit])

const numberOr = (limit: Limit | undefined): number | undefined =>
  limit === undefined ? undefined : limitNumber(limit)

export const quotaTemplate = (quota: Quota): Template => [
  ...(quota.vm === undefined
    ? []
    : [
        vector(
          "VM",
          Object.fromEntries(
            [...limitsOf(quota.vm), ...othersOf(quota.vm)].map(([metric, limit]) => [metric, limitNumber(limit)])
          )
        )
      ]),
  ...(quota.networks ?? []).map((row) => vector("NETWORK", { ID: row.id, LEASES: limitNumber(row.leases) })),
  ...(quota.datastores ?? []).map((row) =>
    vector("DATASTORE", { ID: row.id, SIZE: numberOr(row.size), IMAGES: numberOr(row.images) })
  )
]

const allLimits = (quota: Quota): ReadonlyArray<readonly [what: string, limit: Limit]> => [
  ...limitsOf(quota.vm ?? {}),
  ...(quota.datastores ?? []).flatMap(
    (row): ReadonlyArray<readonly [string, Limit]> => [
      [`SIZE of datastore ${row.id}`, row.size ?? "default"],
      [`IMAGES of datastore ${row.id}`, row.images ?? "default"]
    ]
  ),
  ...(quota.networks ?? []).map((row): readonly [string, Limit] => [`LEASES of network ${row.id}`, row.leases])
]

/** A sentence for the customer if a number is none that OpenNebula can hold as a limit. */
export const quotaProblem = (quota: Quota): string | undefined => {
  for (const [what, limit] of allLimits(quota)) {
    if (typeof limit !== "number") continue
    if (!Number.isFinite(limit) || limit < 0)
      return `The limit for ${what} is ${limit}; it must be a number of 0 or more.`
    if (!Number.isInteger(limit) && !fractional.has(what))
      return `The limit for ${what} is ${limit}; it must be a whole number.`
  }
  return undefined
}

/** OpenNebula keeps a limit as a float of 32 bits, with two decimal places: above 16,777,216 not every number is one. */
const asKept = (limit: Limit): Limit => (typeof limit === "number" ? Math.round(Math.fround(limit) * 100) / 100 : limit)

/** Which of these limits a group does not have: empty, if all took. "CPU: 4 asked for, default found" */
export const unmetQuota = (asked: Quota, found: Quotas): ReadonlyArray<string> => {
  const row = found.vm.find((candidate) => candidate.clusterIds === "")
  const unmet: Array<string> = []
  const compare = (what: string, limit: Limit | undefined, actual: Limit = "default"): void => {
    if (limit !== undefined && asKept(limit) !== asKept(actual))
      unmet.push(`${what}: ${limit} asked for, ${actual} found`)
  }
  for (const key in metrics) if (isMetric(key)) compare(metrics[key], asked.vm?.[key], row?.[key].limit)
  for (const [metric, limit] of othersOf(asked.vm ?? {})) {
    compare(metric, limit, row?.others.find((one) => one.metric === metric)?.limit)
  }
  for (const datastore of asked.datastores ?? []) {
    const actual = found.datastores.find((candidate) => candidate.id === datastore.id)
    compare(`SIZE of datastore ${datastore.id}`, datastore.size, actual?.size.limit)
    compare(`IMAGES of datastore ${datastore.id}`, datastore.images, actual?.images.limit)
  }
  for (const network of asked.networks ?? []) {
    const actual = found.networks.find((candidate) => candidate.id === network.id)
    compare(`LEASES of network ${network.id}`, network.leases, actual?.leases.limit)
  }
  return unmet
}
