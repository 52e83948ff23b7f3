/**
 * Quotas of users and groups: limits as they were set, usage as it is, and whether a demand still fits. -1 stands for the default
 * quota, -2 for no limit. oneadmin and the oneadmin group have none.
 */
import { actionRefused, notAuthorized } from "../wire/refusals.js"
import { cdata, wrap } from "../wire/xml.js"
import type { QuotaRow, QuotaSection, Quotas } from "./objects.js"
import { type Amounts, type Holder, usageOf, vmMetrics } from "./quota-usage.js"
import type { Vector } from "./template.js"
import { parseTemplate } from "./template-parser.js"
import type { World } from "./world.js"

const metricsOf: Record<QuotaSection, ReadonlyArray<string>> = {
  DATASTORE: ["IMAGES", "SIZE"],
  NETWORK: ["LEASES"],
  VM: vmMetrics,
  IMAGE: ["RVMS"]
}

const sections = ["DATASTORE", "NETWORK", "VM", "IMAGE"] as const

const byDefault = -1
const unlimited = -2

/** "3", "1.50": whole numbers bare, others with two decimals. */
export const formatAmount = (amount: number): string => (Number.isInteger(amount) ? String(amount) : amount.toFixed(2))

const clustersOf = (row: QuotaRow): ReadonlySet<number> | undefined =>
  row.key === "" ? undefined : new Set(row.key.split(",").map(Number))

const used = (amounts: Amounts, section: QuotaSection, key: string, metric: string): number =>
  (section === "VM" ? amounts.VM.get(metric) : amounts[section].get(key)?.get(metric)) ?? 0

const quotasOf = (world: World, holder: Holder): Quotas | undefined =>
  (holder.kind === "user" ? world.users : world.groups).find(holder.id)?.quotas

/** Rows that usage alone makes (limit -1), and none of those whose usage is gone. The VM row stays. */
const bringUpToDate = (quotas: Quotas, amounts: Amounts): void => {
  if (quotas.VM.length === 0 && (amounts.VM.get("VMS") ?? 0) > 0)
    quotas.VM.push({ key: "", limits: new Map(), fromUsage: false })
  for (const section of ["DATASTORE", "NETWORK", "IMAGE"] as const) {
    const rows = quotas[section]
    for (const key of amounts[section].keys())
      if (!rows.some((row) => row.key === key)) rows.push({ key, limits: new Map(), fromUsage: true })
    quotas[section] = rows.filter((row) => !row.fromUsage || amounts[section].has(row.key))
  }
}

const byText = (a: string, b: string) => (a < b ? -1 : 1)

const rowDocument = (section: QuotaSection, row: QuotaRow, amounts: Amounts | undefined): string => {
  const fields = metricsOf[section].flatMap((metric) => [
    [metric, formatAmount(row.limits.get(metric) ?? byDefault)] as const,
    [`${metric}_USED`, formatAmount(amounts === undefined ? 0 : used(amounts, section, row.key, metric))] as const
  ])
  if (section !== "VM") fields.push(["ID", row.key])
  else if (row.key !== "") fields.push(["CLUSTER_IDS", row.key])
  return wrap(
    section,
    fields
      .sort(([a], [b]) => byText(a, b))
      .map(([name, value]) => cdata(name, value))
      .join("")
  )
}

/** The four `X_QUOTA` elements of a user or a group. */
export const quotaDocument = (world: World, holder: Holder): string => {
  const quotas = quotasOf(world, holder)
  if (quotas === undefined) return ""
  const exempt = holder.id === 0
  const amounts = usageOf(world, holder)
  if (!exempt) bringUpToDate(quotas, amounts)
  return sections
    .map((section) =>
      wrap(
        `${section}_QUOTA`,
        quotas[section]
          .map((row) => {
            const clusters = clustersOf(row)
            const scoped = section === "VM" && clusters !== undefined ? usageOf(world, holder, clusters) : amounts
            return rowDocument(section, row, scoped)
          })
          .join("")
      )
    )
    .join("")
}

/** `<DEFAULT_GROUP_QUOTAS>` or `<DEFAULT_USER_QUOTAS>`. */
export const defaultQuotaDocument = (world: World, kind: "group" | "user"): string =>
  wrap(
    `DEFAULT_${kind.toUpperCase()}_QUOTAS`,
    sections
      .map((section) =>
        wrap(
          `${section}_QUOTA`,
          world.defaultQuotas[kind][section].map((row) => rowDocument(section, row, undefined)).join("")
        )
      )
      .join("")
  )

const describe = (quota: Vector, owner: Holder | undefined): string => {
  const values = new Map(quota.values)
  if (quota.name === "VM" && owner !== undefined) values.set(owner.kind === "group" ? "GID" : "UID", String(owner.id))
  const fields = [...values].sort(([a], [b]) => byText(a, b)).map(([name, value]) => `${name}=${value}`)
  return `${quota.name} = [ ${fields.join(",")} ]`
}

const keyOf = (world: World, section: QuotaSection, quota: Vector, owner: Holder | undefined): string => {
  if (section !== "VM") {
    const id = quota.values.get("ID")
    if (id === undefined || !/^-?\d+$/.test(id.trim()))
      throw actionRefused(`Negative limits or bad format in quota ${describe(quota, owner)}`)
    return id.trim()
  }
  const ids = (quota.values.get("CLUSTER_IDS") ?? "").split(",").flatMap((id) => (id.trim() === "" ? [] : [Number(id)]))
  for (const id of ids) if (world.clusters.find(id) === undefined) throw actionRefused(`Cluster ${id} does not exist`)
  return [...new Set(ids)].sort((a, b) => a - b).join(",")
}

/** A cluster is in one row only (7.4 `QuotaVirtualMachine::set`). */
const requireNewClusters = (rows: ReadonlyArray<QuotaRow>, key: string): void => {
  for (const id of key.split(",").map(Number))
    if (rows.some((row) => clustersOf(row)?.has(id) === true))
      throw actionRefused(`Quota for cluster id ${id} already exists`)
}

/** The limit, or undefined when it is left out or no number ("lots", recording 364). */
const limitOf = (quota: Vector, metric: string): number | undefined => {
  const read = Number.parseFloat(quota.values.get(metric) ?? "")
  return Number.isNaN(read) ? undefined : read
}

const setRow = (
  world: World,
  quotas: Quotas,
  quota: Vector,
  section: QuotaSection,
  owner: Holder | undefined
): void => {
  const key = keyOf(world, section, quota, owner)
  const limits = metricsOf[section].map((metric) => [metric, limitOf(quota, metric)] as const)
  if (limits.some(([, limit]) => limit !== undefined && limit < unlimited))
    throw actionRefused(`Negative limits or bad format in quota ${describe(quota, owner)}`)
  const leftOut = owner === undefined || (section === "VM" && key !== "") ? unlimited : byDefault
  const row = { key, fromUsage: false, limits: new Map(limits.map(([metric, limit]) => [metric, limit ?? leftOut])) }
  const rows = quotas[section]
  const at = rows.findIndex((known) => known.key === key)
  if (section === "VM" && key !== "" && at < 0) requireNewClusters(rows, key)
  if (at < 0) rows.push(row)
  else rows[at] = row
}

/** `group.quota`, `user.quota`, `groupquota.update`: unknown sections and metrics are ignored. `owner` undefined: default quotas. */
export const setQuotas = (world: World, quotas: Quotas, text: string, owner: Holder | undefined): void => {
  const parsed = parseTemplate(text)
  if (parsed._tag === "ParseError") throw actionRefused(parsed.message)
  for (const section of sections)
    for (const quota of parsed.template.vectors(section)) setRow(world, quotas, quota, section, owner)
  if (owner !== undefined) return
  for (const section of sections)
    quotas[section] = quotas[section].filter((row) => [...row.limits.values()].some((limit) => limit !== unlimited))
}

/** What a call wants more of; negative when it gives back. */
export interface Demand {
  /** Where the VM is, or is to be: the row of that cluster counts as well. */
  readonly cluster?: number | undefined
  /** That row alone. */
  readonly skipsGlobal?: boolean
  readonly VM?: ReadonlyMap<string, number>
  readonly NETWORK?: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly IMAGE?: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly DATASTORE?: ReadonlyMap<string, ReadonlyMap<string, number>>
}

const effectiveLimit = (world: World, holder: Holder, section: QuotaSection, row: QuotaRow, metric: string): number => {
  const own = row.limits.get(metric) ?? byDefault
  if (own !== byDefault) return own
  const fallback = world.defaultQuotas[holder.kind][section].find((known) => known.key === row.key)
  return fallback?.limits.get(metric) ?? unlimited
}

/** As C++ writes a float into a stream (`Quota::check_quota`): six digits, from a million on in exponents. */
const streamed = (limit: number): string => {
  const [digits = "", exponent] = Math.fround(limit).toPrecision(6).split("e")
  const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits
  return exponent === undefined ? short : `${short}e${exponent.replace(/^([+-])(\d)$/, "$10$2")}`
}

/**
 * The rows that are asked. Of VMs that of their cluster first, if the holder has one of its own, and the one for all; else those that are named, its own or
 * made by a default (7.4 `QuotaVirtualMachine::check`, `Quota::check_quota`).
 */
const rowsAsked = (
  world: World,
  { kind }: Holder,
  quotas: Quotas,
  section: QuotaSection,
  { cluster, skipsGlobal = false }: Demand
): ReadonlyArray<QuotaRow> => {
  const rows = new Map(
    world.defaultQuotas[kind][section].map((row) => [row.key, { ...row, limits: new Map<string, number>() }])
  )
  for (const row of quotas[section]) rows.set(row.key, row)
  if (section !== "VM") return [...rows.values()]
  const scoped = quotas.VM.find((row) => cluster !== undefined && clustersOf(row)?.has(cluster) === true)
  const global = skipsGlobal ? undefined : rows.get("")
  return [scoped, global].flatMap((row) => row ?? [])
}

const obstacleFor = (world: World, holder: Holder, demand: Demand): string | undefined => {
  if (holder.id === 0) return undefined
  const quotas = quotasOf(world, holder)
  if (quotas === undefined) return holder.kind === "user" ? "User not found" : "Group not found"
  for (const section of ["VM", "NETWORK", "IMAGE", "DATASTORE"] as const) {
    for (const row of rowsAsked(world, holder, quotas, section, demand)) {
      const wanted = section === "VM" ? demand.VM : demand[section]?.get(row.key)
      if (wanted === undefined) continue
      const amounts = usageOf(world, holder, section === "VM" ? clustersOf(row) : undefined)
      for (const metric of metricsOf[section]) {
        const more = wanted.get(metric)
        const limit = effectiveLimit(world, holder, section, row, metric)
        if (more === undefined || limit === unlimited || used(amounts, section, row.key, metric) + more <= limit)
          continue
        const where = row.key === "" ? section : `${section} with ID: ${row.key}`
        return `${holder.kind} [${holder.id}] limit of ${streamed(limit)} reached for ${metric} quota in ${where}`
      }
    }
  }
  return undefined
}

/** The first limit in the way, user before group, or undefined. */
export const quotaObstacle = (
  world: World,
  owner: { readonly uid: number; readonly gid: number },
  demand: Demand
): string | undefined =>
  obstacleFor(world, { kind: "user", id: owner.uid }, demand) ??
  obstacleFor(world, { kind: "group", id: owner.gid }, demand)

/** Throws 0x0200 when the demand does not fit. */
export const requireQuota = (
  world: World,
  callerId: number,
  owner: { readonly uid: number; readonly gid: number },
  demand: Demand
): void => {
  const obstacle = quotaObstacle(world, owner, demand)
  if (obstacle !== undefined) throw notAuthorized(`User [${callerId}] : ${obstacle}.`)
}
