/** What must be in the cloud for a resource, and what of it is not so. */
import type { Bench } from "./bench.js"
import type { CloudChecks } from "./cloud-checks.js"
import type { Thing } from "./ledger.js"
import { type Found, objectsOf, type World } from "./objects.js"

const vdcKinds = ["group", "VDC", "network", "security group", "router", "router VM", "user"] as const
const running = { state: 3, lcm: 3 }

export const ownObjects = (world: World, cloud: CloudChecks, resource: string): ReadonlyArray<Found> =>
  objectsOf(world).filter((object) => object.resource === resource && cloud.isOwn(object))

/** Sentences, none if all is as ordered. */
export const differences = (bench: Bench, world: World, cloud: CloudChecks, thing: Thing): ReadonlyArray<string> => {
  const found = ownObjects(world, cloud, thing.resource)
  if (thing.amounts === undefined) {
    const left = found.filter(({ order }) => !bench.leftoverOrders().has(order ?? ""))
    return left.map(({ kind, id }) => `${kind} ${id} of ${thing.name} is still there`)
  }
  return thing.kind === "vdc" ? vdcDifferences(world, thing, found) : vmDifferences(world, thing, found)
}

const vdcDifferences = (world: World, thing: Thing, found: ReadonlyArray<Found>): ReadonlyArray<string> => {
  const amounts = thing.amounts ?? {}
  const missing = vdcKinds.filter((kind) => found.every((object) => object.kind !== kind))
  const group = world.groups.find(found.find(({ kind }) => kind === "group")?.id ?? -1)
  if (missing.length > 0 || group === undefined) return [`${thing.name} lacks ${missing.join(", ")}`]
  const limit = (section: "VM" | "DATASTORE" | "NETWORK", key: string, metric: string) =>
    group.quotas[section].find((row) => row.key === key)?.limits.get(metric)
  const wanted: ReadonlyArray<readonly [string, string | number | undefined, number | undefined]> = [
    ["CPU", limit("VM", "", "CPU"), amounts.cpu],
    ["MEMORY", limit("VM", "", "MEMORY"), amounts.ram],
    ["SYSTEM_DISK_SIZE", limit("VM", "", "SYSTEM_DISK_SIZE"), amounts.storage],
    ["SIZE of datastore 1", limit("DATASTORE", "1", "SIZE"), amounts.storage],
    ["LEASES of network 0", limit("NETWORK", "0", "LEASES"), amounts.floating_ip]
  ]
  const vdc = world.vdcs.find(found.find(({ kind }) => kind === "VDC")?.id ?? -1)
  const router = world.vms.find(found.find(({ kind }) => kind === "router VM")?.id ?? -1)
  return [
    ...wanted.flatMap(([name, is, shall]) =>
      shall === undefined || Number(is) === shall ? [] : [`${thing.name}: ${name} is ${is}, not ${shall}`]
    ),
    ...(vdc?.groups.has(group.id) === true ? [] : [`${thing.name}: its group is not in its VDC`]),
    ...(world.vdcs.find(0)?.groups.has(group.id) === true ? [`${thing.name}: its group is still in VDC 0`] : []),
    ...found
      .filter(
        ({ kind }) => kind === "network" || kind === "router" || kind === "router VM" || kind === "security group"
      )
      .flatMap(({ kind, id }) => {
        const pools = { network: world.networks, router: world.routers, "security group": world.securityGroups }
        const object =
          kind === "router VM"
            ? world.vms.find(id)
            : kind in pools
              ? pools[kind === "network" ? "network" : kind === "router" ? "router" : "security group"].find(id)
              : undefined
        return object?.gid === group.id ? [] : [`${thing.name}: ${kind} ${id} is in group ${object?.gid}`]
      }),
    ...(thing.disturbed || (router?.state === running.state && router.lcm === running.lcm)
      ? []
      : [`${thing.name}: its router is in state ${router?.state}/${router?.lcm}`])
  ]
}

const vmDifferences = (world: World, thing: Thing, found: ReadonlyArray<Found>): ReadonlyArray<string> => {
  const amounts = thing.amounts ?? {}
  const [one, ...more] = found
  const vm = world.vms.find(one?.id ?? -1)
  if (vm === undefined || more.length > 0) return [`${thing.name} has ${found.length} VMs`]
  const disk = Number(vm.template.vectors("DISK")[0]?.values.get("SIZE"))
  const disks = [amounts.vm_disk, ...thing.mayHaveDisk]
  return [
    ...(Number(vm.template.get("VCPU")) === amounts.vcpu
      ? []
      : [`${thing.name} has ${vm.template.get("VCPU")} VCPU, not ${amounts.vcpu}`]),
    ...(Number(vm.template.get("MEMORY")) === amounts.vm_ram
      ? []
      : [`${thing.name} has ${vm.template.get("MEMORY")} MB, not ${amounts.vm_ram}`]),
    ...(disks.includes(disk) ? [] : [`${thing.name} has a disk of ${disk} MB, not ${disks.join(" or ")}`]),
    ...(thing.disturbed || (vm.state === running.state && vm.lcm === running.lcm)
      ? []
      : [`${thing.name} is in state ${vm.state}/${vm.lcm}`])
  ]
}
