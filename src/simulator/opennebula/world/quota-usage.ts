/** What users and groups use, counted from the objects that they own. */
import type { Vm } from "./objects.js"
import { remembered } from "./template.js"
import type { World } from "./world.js"

/** In the order in which a front-end checks them (recordings 174, 377). */
export const vmMetrics = [
  "VMS",
  "RUNNING_VMS",
  "CPU",
  "RUNNING_CPU",
  "MEMORY",
  "RUNNING_MEMORY",
  "SYSTEM_DISK_SIZE",
  "PCI_DEV",
  "RUNNING_PCI_DEV",
  "PCI_NIC",
  "RUNNING_PCI_NIC"
] as const

/** Amounts per metric; for rows with an id per id. CPU in cores, memory and disks in MB. */
export interface Amounts {
  readonly VM: ReadonlyMap<string, number>
  readonly NETWORK: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly IMAGE: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly DATASTORE: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/** A user (other than oneadmin) or a group (other than oneadmin's). */
export type Holder = { readonly kind: "user" | "group"; readonly id: number }

type Table = Map<string, Map<string, number>>

const count = (table: Table, id: string, metric: string, amount: number) => {
  const row = table.get(id) ?? new Map<string, number>()
  row.set(metric, (row.get(metric) ?? 0) + amount)
  table.set(id, row)
}

const doneState = 6
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)

const sizesOf = remembered((template) => ({
  cpu: Number(template.get("CPU") ?? 0),
  memory: Number(template.get("MEMORY") ?? 0),
  disk: sum(
    [
      ...template.vectors("DISK").map((disk) => Number(disk.values.get("SIZE") ?? 0)),
      ...template.vectors("SNAPSHOT").map((snapshot) => Number(snapshot.values.get("SYSTEM_DISK_SIZE") ?? 0))
    ].filter(Number.isFinite)
  ),
  networks: template.vectors("NIC").flatMap((nic) => nic.values.get("NETWORK_ID") ?? []),
  images: [...new Set(template.vectors("DISK").flatMap((disk) => disk.values.get("IMAGE_ID") ?? []))]
}))

/** Cores and MB, as a scheduler counts them. */
export const capacityOf = (vm: Vm): { readonly cpu: number; readonly memory: number } => sizesOf(vm.template)

/** MB of all disks and of memory snapshots (recording 179: a snapshot counts 1024). */
export const systemDiskSize = (vm: Vm): number => sizesOf(vm.template).disk

/** What one VM counts for in VM quotas. */
export const vmAmounts = (vm: Vm): Map<string, number> => {
  const { cpu, memory } = sizesOf(vm.template)
  const running = (vm.countsAsRunning ? 1 : 0) + vm.overcounted
  return new Map([
    ["VMS", 1],
    ["RUNNING_VMS", running],
    ["CPU", cpu],
    ["RUNNING_CPU", running * cpu],
    ["MEMORY", memory],
    ["RUNNING_MEMORY", running * memory],
    ["SYSTEM_DISK_SIZE", systemDiskSize(vm)]
  ])
}

const ownedBy = (holder: Holder, owned: { readonly uid: number; readonly gid: number }) =>
  (holder.kind === "user" ? owned.uid : owned.gid) === holder.id

/** `clusters`: only VMs on hosts of these. */
export const usageOf = (world: World, holder: Holder, clusters?: ReadonlySet<number>): Amounts => {
  const vmTotals = new Map<string, number>(vmMetrics.map((metric) => [metric, 0]))
  const network: Table = new Map()
  const image: Table = new Map()
  const datastore: Table = new Map()
  for (const vm of world.vms) {
    if (vm.state === doneState || !ownedBy(holder, vm)) continue
    const cluster = vm.history.at(-1)?.host.cluster
    if (clusters !== undefined && (cluster === undefined || !clusters.has(cluster))) continue
    for (const [metric, amount] of vmAmounts(vm)) vmTotals.set(metric, (vmTotals.get(metric) ?? 0) + amount)
    const { images, networks } = sizesOf(vm.template)
    for (const id of networks) count(network, id, "LEASES", 1)
    for (const id of images) count(image, id, "RVMS", 1)
  }
  for (const owned of world.images) {
    if (!ownedBy(holder, owned)) continue
    count(datastore, String(owned.datastore), "IMAGES", 1)
    count(datastore, String(owned.datastore), "SIZE", owned.size)
  }
  return { VM: vmTotals, NETWORK: network, IMAGE: image, DATASTORE: datastore }
}
