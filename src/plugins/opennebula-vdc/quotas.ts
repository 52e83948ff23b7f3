/**
 * Quotas: what the ordered amounts mean in OpenNebula, set and read back.
 *
 * Components and backend units: `cpu` (cores), `ram` (MB), `storage` (MB), `floating_ip` (addresses). A component that an offering
 * does not have is not limited.
 */
import { Effect } from "effect"
import { type Quota, type Quotas, unmetQuota } from "../../opennebula/index.js"
import {
  type Amounts,
  type Component,
  largestAmount,
  OrderRefused,
  printable,
  type Quantity
} from "../../plugin/index.js"
import { accountedQuantities } from "../accounting.js"
import type { Cloud } from "./cloud.js"

/** Where limits go: a row counts only for exactly the datastore or network that it names. */
export interface QuotaPlaces {
  readonly imageDatastores: ReadonlyArray<number>
  readonly externalNetwork: number | undefined
}

interface Rule {
  readonly unit: string
  /** Hundredths, as OpenNebula keeps CPU; else whole numbers. */
  readonly decimals: 0 | 2
  readonly zero: "allowed" | "refused"
}
const rules: Readonly<Record<string, Rule>> = {
  cpu: { unit: "cores", decimals: 2, zero: "refused" },
  ram: { unit: "MB", decimals: 0, zero: "refused" },
  storage: { unit: "MB", decimals: 0, zero: "allowed" },
  floating_ip: { unit: "addresses", decimals: 0, zero: "allowed" }
}

/** The components that an order may name. */
export const limited: ReadonlyArray<string> = Object.keys(rules)

/** What a VDC offering may have components for. */
export const quantities: ReadonlyArray<Quantity> = [
  ...Object.entries(rules).map(([name, { unit }]): Quantity => ({ name, unit, ordered: true, measured: "now" })),
  ...accountedQuantities
]

const labelOf = (components: ReadonlyArray<Component>, type: string): string =>
  components.find((component) => component.type === type)?.name || type

const problemWith = (label: string, rule: Rule, amount: number): string | undefined => {
  if (!Number.isFinite(amount)) return `The amount of ${label} is not a number.`
  const asked = `${amount} ${rule.unit} were ordered`
  if (amount < 0) return `The amount of ${label} must not be negative, but ${asked}.`
  if (amount > largestAmount) return `The amount of ${label} is too large: ${asked}.`
  if (amount === 0 && rule.zero === "refused") return `The amount of ${label} must be more than 0.`
  if (!Number.isInteger(Math.round(amount * 1e6) / 10 ** (6 - rule.decimals))) {
    return rule.decimals === 0
      ? `The amount of ${label} must come to whole ${rule.unit}, but ${asked}.`
      : `The amount of ${label} may have two decimal places, but ${asked}.`
  }
  return undefined
}

/** What is wrong with the ordered amounts, as a sentence for the customer. `complete`: nothing that is sold by limit may be missing. */
const amountsProblem = (
  components: ReadonlyArray<Component>,
  amounts: Amounts,
  complete: boolean
): string | undefined => {
  for (const [type, amount] of Object.entries(amounts)) {
    const rule = rules[type]
    if (rule === undefined) return `A data centre has no "${printable(type)}"; it has: ${limited.join(", ")}.`
    const problem = problemWith(labelOf(components, type), rule, amount)
    if (problem !== undefined) return problem
  }
  if (!complete) return undefined
  const missing = components.filter(
    ({ type, accountingType }) => accountingType === "limit" && type in rules && amounts[type] === undefined
  )
  return missing.length === 0
    ? undefined
    : `The order says nothing of ${missing.map(({ type }) => labelOf(components, type)).join(", ")}.`
}

export const checkAmounts = (
  components: ReadonlyArray<Component>,
  amounts: Amounts,
  how: { readonly complete: boolean }
): Effect.Effect<void, OrderRefused> => {
  const problem = amountsProblem(components, amounts, how.complete)
  return problem === undefined ? Effect.void : Effect.fail(new OrderRefused({ customerMessage: problem }))
}

/** Hundredths as OpenNebula reads them back: 0.1 + 0.2 is 0.3. */
const hundredths = (amount: number): number => Math.round(amount * 100) / 100

/**
 * The limits to set. `before`: what the group has now; OpenNebula resets VM metrics that are left out, so they are said again. Disks
 * of VMs count in SYSTEM_DISK_SIZE, images in their datastore's SIZE: `storage` limits each of them.
 */
export const quotaFor = (amounts: Amounts, places: QuotaPlaces, before?: Quotas): Quota => {
  const { cpu, ram, storage, floating_ip: addresses } = amounts
  const hasVmLimits = cpu !== undefined || ram !== undefined || storage !== undefined
  return {
    ...(hasVmLimits
      ? {
          vm: {
            ...(before === undefined ? {} : limitsOf(before).vm),
            ...(cpu === undefined ? {} : { cpu: hundredths(cpu) }),
            ...(ram === undefined ? {} : { memory: ram }),
            ...(storage === undefined ? {} : { systemDiskSize: storage })
          }
        }
      : {}),
    ...(storage === undefined || places.imageDatastores.length === 0
      ? {}
      : { datastores: places.imageDatastores.map((id) => ({ id, size: storage })) }),
    ...(addresses === undefined || places.externalNetwork === undefined
      ? {}
      : { networks: [{ id: places.externalNetwork, leases: addresses }] })
  }
}

/** The limits that a group has, in the form in which they can be set again. */
export const limitsOf = (quotas: Quotas): Required<Quota> => {
  const row = quotas.vm.find(({ clusterIds }) => clusterIds === "")
  return {
    vm:
      row === undefined
        ? { cpu: "default" }
        : {
            cpu: row.cpu.limit,
            memory: row.memory.limit,
            vms: row.vms.limit,
            systemDiskSize: row.systemDiskSize.limit,
            runningCpu: row.runningCpu.limit,
            runningMemory: row.runningMemory.limit,
            runningVms: row.runningVms.limit,
            ...(row.others.length === 0 ? {} : { others: row.others })
          },
    datastores: quotas.datastores.map((store) => ({
      id: store.id,
      size: store.size.limit,
      images: store.images.limit
    })),
    networks: quotas.networks.map((network) => ({ id: network.id, leases: network.leases.limit }))
  }
}

/** Sets, reads back and compares: OpenNebula answers OK to limits that it does not understand. */
export const setQuota = (cloud: Cloud, groupId: number, quota: Quota) =>
  Effect.gen(function* () {
    if (Object.keys(quota).length === 0) return
    yield* cloud.one.group.quota(groupId, quota)
    const unmet = unmetQuota(quota, (yield* cloud.one.group.info(groupId)).quotas)
    if (unmet.length === 0) return
    return yield* new OrderRefused({
      customerMessage: "The cloud did not take on the ordered amounts: order again, or ask the provider.",
      detail: unmet.join("; ")
    })
  })

const known = (limit: number | "default" | "unlimited" | undefined): limit is number => typeof limit === "number"

/** The amounts that a group's limits stand for; unlimited ones are left out. */
export const amountsOf = (quotas: Quotas, externalNetwork: number | undefined): Amounts => {
  const row = quotas.vm.find(({ clusterIds }) => clusterIds === "")
  const addresses = quotas.networks.find(({ id }) => id === externalNetwork)?.leases.limit
  const found = {
    cpu: row?.cpu.limit,
    ram: row?.memory.limit,
    storage: row?.systemDiskSize.limit,
    floating_ip: addresses
  }
  return Object.fromEntries(Object.entries(found).flatMap(([type, limit]) => (known(limit) ? [[type, limit]] : [])))
}

/**
 * What a group uses now: VM disks and images together are its storage. A row that is not there was never used. Addresses cannot be told
 * without the network that they are sold from.
 */
export const usageOf = (quotas: Quotas, externalNetwork: number | undefined): Amounts => {
  const row = quotas.vm.find(({ clusterIds }) => clusterIds === "")
  const images = quotas.datastores.reduce((sum, { size }) => sum + size.used, 0)
  return {
    cpu: row?.cpu.used ?? 0,
    ram: row?.memory.used ?? 0,
    storage: (row?.systemDiskSize.used ?? 0) + images,
    ...(externalNetwork === undefined
      ? {}
      : { floating_ip: quotas.networks.find(({ id }) => id === externalNetwork)?.leases.used ?? 0 })
  }
}
