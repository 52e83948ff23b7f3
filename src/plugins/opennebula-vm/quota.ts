/**
 * Would other sizes fit into the quotas that OpenNebula asks? Asked before a VM is powered off for nothing.
 *
 * It asks those of the VM's user and of its group, but for oneadmin's (7.4 `SharedAPI::quota_authorization`), and of each the row of the VM's cluster, where
 * there is one, and the row for all (`QuotaVirtualMachine::update`). A limit of "default" is that of all users, or all groups. One that is below the usage
 * refuses what shrinks, too, and what stays as it is.
 */
import { Effect, Option } from "effect"
import {
  type Limit,
  nothingMayRun,
  type OpenNebulaError,
  type OpenNebulaService,
  type Quotas,
  type QuotaUsage,
  type Vm
} from "../../opennebula/index.js"
import { OrderRefused } from "../../plugin/index.js"

/** Whose quotas are asked. */
export interface Holder {
  readonly kind: "group" | "user"
  readonly id: number
  readonly quotas: Quotas
  /** Of all of its kind. */
  readonly defaults: Quotas
}

/** What is asked for, as what it adds to the usage; negative where it shrinks. Memory and disk in MB. */
export interface Wanted {
  /** OpenNebula asks for both, if only one of them changes. */
  readonly capacity: { readonly cpu: number; readonly memory: number } | undefined
  readonly disk: number
  /** What runs afterwards; nothing of it is asked of a VM that stays off. */
  readonly running: { readonly vms: number; readonly cpu: number; readonly memory: number } | undefined
}

/** The administrator's user and group. */
const exempt = 0

/** The user's in the same moment, which is a call more where that is not oneadmin. NoSuchObject if either was deleted. */
export const holdersOf = (
  one: OpenNebulaService,
  { gid, uid }: Pick<Vm, "gid" | "uid">
): Effect.Effect<ReadonlyArray<Holder>, OpenNebulaError> => {
  const user = Effect.map(one.user.quotas(uid), (of): ReadonlyArray<Holder> => [{ kind: "user", ...of }])
  const group = Effect.map(one.group.info(gid), (of): ReadonlyArray<Holder> => [{ kind: "group", ...of }])
  // A user that is not shown is asked by OpenNebula alone.
  const ofUser = Effect.catchTag(user, "NotAuthorized", () => Effect.succeed([]))
  const asked = [...(uid === exempt ? [] : [ofUser]), ...(gid === exempt ? [] : [group])]
  return Effect.map(Effect.all(asked, { concurrency: "unbounded" }), (holders) => holders.flat())
}

/** Where a disk counts: in SYSTEM_DISK_SIZE, in the SIZE of a datastore, or for whoever owns its image. */
export type CountsIn = "system" | { readonly datastore: number } | "image"

export const countsIn = (disk: Vm["disks"][number] | undefined): CountsIn => {
  const target = disk?.target.toUpperCase()
  if (target === "NONE") return "image"
  if (target !== "SELF" || disk === undefined) return "system"
  return Option.match(disk.datastoreId, { onNone: () => "image" as const, onSome: (datastore) => ({ datastore }) })
}

type VmRow = Quotas["vm"][number]
interface Asked {
  readonly name: string
  readonly own: QuotaUsage | undefined
  readonly byDefault: QuotaUsage | undefined
  readonly more: number
  readonly unit: "" | " MB"
}

const isFor = (cluster: number, { clusterIds }: VmRow): boolean =>
  clusterIds.split(",").some((id) => id === String(cluster))

/** The keys of the rows that count for the VM. A cluster's is there only if the holder has one of its own. */
const rowsFor = ({ quotas }: Holder, { history }: Pick<Vm, "history">): ReadonlyArray<string> => {
  const cluster = Option.flatMap(Option.fromNullable(history.at(-1)), ({ clusterId }) => clusterId)
  const own = Option.flatMap(cluster, (id) => Option.fromNullable(quotas.vm.find((row) => isFor(id, row))))
  return [...Option.match(own, { onNone: () => [], onSome: ({ clusterIds }) => [clusterIds] }), ""]
}

const vmAsked = ({ defaults, quotas }: Holder, key: string, wanted: Wanted, disk: CountsIn): ReadonlyArray<Asked> => {
  const [own, byDefault] = [quotas, defaults].map(({ vm }) => vm.find(({ clusterIds }) => clusterIds === key))
  const ask = (
    metric: Exclude<keyof VmRow, "clusterIds" | "others">,
    name: string,
    more: number,
    unit: Asked["unit"]
  ) => [{ name, own: own?.[metric], byDefault: byDefault?.[metric], more, unit }]
  const { capacity, running } = wanted
  return [
    ...(capacity === undefined
      ? []
      : [...ask("cpu", "CPU", capacity.cpu, ""), ...ask("memory", "memory", capacity.memory, " MB")]),
    ...(wanted.disk > 0 && disk === "system" ? ask("systemDiskSize", "disk size", wanted.disk, " MB") : []),
    ...(running === undefined
      ? []
      : [
          ...ask("runningVms", "running VMs", running.vms, ""),
          ...ask("runningCpu", "running CPU", running.cpu, ""),
          ...ask("runningMemory", "running memory", running.memory, " MB")
        ])
  ]
}

const datastoreAsked = ({ defaults, quotas }: Holder, wanted: Wanted, disk: CountsIn): ReadonlyArray<Asked> => {
  if (typeof disk === "string" || wanted.disk <= 0) return []
  const [own, byDefault] = [quotas, defaults].map(({ datastores }) =>
    datastores.find(({ id }) => id === disk.datastore)
  )
  return [{ name: "disk size", own: own?.size, byDefault: byDefault?.size, more: wanted.disk, unit: " MB" }]
}

const limitOf = ({ byDefault, own }: Asked): Limit => {
  const limit = own?.limit ?? "default"
  return limit === "default" ? (byDefault?.limit ?? "unlimited") : limit
}

/** OpenNebula keeps two decimal places. */
const hundredths = (amount: number): number => Math.round(amount * 100)

const whose = {
  group: { quota: "The virtual data centre's quota", end: "." },
  user: { quota: "The quota of the machine's owner in the cloud", end: ": ask the provider." }
}

const refusal = ({ id, kind }: Holder, key: string, asked: Asked, limit: number): OrderRefused => {
  const { end, quota } = whose[kind]
  const { more, name, unit } = asked
  const used = asked.own?.used ?? 0
  const rest = more > 0 ? ` and ${hundredths(more) / 100}${unit} more were ordered` : ""
  return new OrderRefused({
    customerMessage:
      name === "running VMs" && limit === 0
        ? nothingMayRun
        : `${quota} for ${name}${key === "" ? "" : " where the machine is"} (${limit}${unit}) does not allow this: ${used}${unit} are in use${rest}${end}`,
    detail: `${kind} ${id}${key === "" ? "" : `, clusters ${key}`}`
  })
}

/** The first limit in the way, of the holder's that are asked in that order. */
export const quotaRefusal = (
  holders: ReadonlyArray<Holder>,
  vm: Pick<Vm, "history">,
  wanted: Wanted,
  disk: CountsIn = "system"
): OrderRefused | undefined => {
  for (const holder of holders) {
    const rows = rowsFor(holder, vm).flatMap((key) =>
      vmAsked(holder, key, wanted, disk).map((asked) => ({ key, asked }))
    )
    for (const { asked, key } of [
      ...rows,
      ...datastoreAsked(holder, wanted, disk).map((asked) => ({ key: "", asked }))
    ]) {
      const limit = limitOf(asked)
      if (typeof limit === "number" && hundredths((asked.own?.used ?? 0) + asked.more) > hundredths(limit))
        return refusal(holder, key, asked, limit)
    }
  }
  return undefined
}
