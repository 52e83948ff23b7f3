/** Which host takes a VM: the one with the least CPU given away, the newest on a tie. Without room the VM stays PENDING. */
import type { Datastore, Host, Vm } from "../world/objects.js"
import { capacityOf, systemDiskSize } from "../world/quota-usage.js"
import type { World } from "../world/world.js"
import { Lcm, VmState } from "./states.js"

const placed: ReadonlyArray<number> = [VmState.active, VmState.poweroff, VmState.suspended]

const isOn = (vm: Vm, host: Host): boolean =>
  placed.includes(vm.state) && vm.history[vm.history.length - 1]?.host.id === host.id

export const vmsOn = (world: World, host: Host): ReadonlyArray<Vm> =>
  world.vms.oldestFirst().filter((vm) => isOn(vm, host))

/** CPU in percent of a core, memory in KB. */
export const givenAway = (world: World, host: Host): { readonly cpu: number; readonly memory: number } => {
  let cpu = 0
  let memory = 0
  for (const vm of world.vms) {
    if (!isOn(vm, host)) continue
    const size = capacityOf(vm)
    cpu += size.cpu
    memory += size.memory
  }
  return { cpu: Math.round(cpu * 100), memory: memory * 1024 }
}

/** Whether `more` (cores, MB) still fits on the host. */
export const fits = (world: World, host: Host, more: { readonly cpu: number; readonly memory: number }): boolean => {
  const used = givenAway(world, host)
  return used.cpu + more.cpu * 100 <= host.maxCpu && used.memory + more.memory * 1024 <= host.maxMemory
}

/** Of a host: enabled, and seen. One that is disabled, offline or in error takes no more VMs; those that it has stay. */
export const monitored = 2
/** It does not answer its monitor any more (7.4 `Host::ERROR`). */
export const hostInError = 3

const enabledHosts = (world: World): ReadonlyArray<Host> =>
  world.hosts.oldestFirst().filter(({ state }) => state === monitored)

/** In the cluster of its disks and networks, and in one of those that its template names. Of such expressions nothing else is understood here. */
const meetsRequirements =
  (vm: Vm) =>
  ({ cluster }: Host): boolean =>
    [vm.template.get("AUTOMATIC_REQUIREMENTS"), vm.userTemplate.get("SCHED_REQUIREMENTS")].every(
      (requirements = "") => {
        const clusters = [...requirements.matchAll(/CLUSTER_ID\s*=\s*"?(\d+)/g)].map(([, id]) => Number(id))
        return clusters.length === 0 || clusters.includes(cluster)
      }
    )

/** An image datastore is no obstacle; a system datastore that was disabled takes nothing. */
const systemDatastores = (world: World): ReadonlyArray<Datastore> =>
  world.datastores.oldestFirst().filter(({ state, type }) => type === systemDatastore && state === datastoreReady)
const systemDatastore = 1
const datastoreReady = 0

/** What comes back has its disks there already: a shared datastore is not asked for room then (7.4 `Scheduler::match_schedule`, `match_system_ds`). */
const holds =
  (vm: Vm) =>
  ({ room = Number.POSITIVE_INFINITY }: Datastore): boolean =>
    vm.history.length > 0 || systemDiskSize(vm) <= room

const needsOf = (vm: Vm) => ({ cpu: Number(vm.template.get("CPU")), memory: Number(vm.template.get("MEMORY")) })

export const chooseHost = (world: World, vm: Vm): Host | undefined => {
  if (!systemDatastores(world).some(holds(vm))) return undefined
  const fitting = enabledHosts(world).filter((host) => meetsRequirements(vm)(host) && fits(world, host, needsOf(vm)))
  if (fitting.length === 1) return fitting[0]
  return fitting.sort((a, b) => givenAway(world, a).cpu - givenAway(world, b).cpu || b.id - a.id)[0]
}

const listed = (reason: string, rejected: ReadonlyArray<{ readonly id: number }>): string =>
  rejected.length === 0 ? "" : `${reason}: ${rejected.map(({ id }) => id).join(",")}`

/**
 * The scheduler's sentence when nothing fits (recording 181; 7.4 `SchedulerFailure::log_failures`); before it, what oned itself says
 * (`SchedulerManagerDriver.cc`).
 */
export const whyNoHost = (world: World, vm: Vm): string => {
  const enabled = enabledHosts(world)
  if (enabled.length === 0) return "Cannot dispatch VM: No hosts enabled to run VMs"
  const datastores = systemDatastores(world)
  if (datastores.length === 0) return "Cannot dispatch VM: No system datastores found to run VMs"
  const hosts = enabled.filter(meetsRequirements(vm))
  if (hosts.length === 0) return "Cannot dispatch VM: No host meets SCHED_REQUIREMENTS"
  const { cpu, memory } = needsOf(vm)
  const withCpu = hosts.filter((host) => fits(world, host, { cpu, memory: 0 }))
  if (withCpu.some((host) => fits(world, host, { cpu, memory })))
    return listed("[DS] Not enough capacity on datastores", datastores)
  // A host that is short of both is short of CPU (`HostShareXML::test_capacity`).
  return `${listed(
    "[HOST] Not enough CPU on hosts",
    hosts.filter((host) => !withCpu.includes(host))
  )}${listed("[HOST] Not enough MEMORY on hosts", withCpu)}`
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/**
 * Its monitor hears nothing of it any more: what runs there is UNKNOWN, whatever is on its way stays so until its driver fails
 * (7.4 `InformationManager::_host_state`, `trigger_monitor_done`).
 */
export const hostDies = (world: World, host: Host): void => {
  host.state = hostInError
  for (const vm of vmsOn(world, host)) if (isAt(vm, Lcm.running)) vm.lcm = Lcm.unknown
}

/** It is heard of again, and so is what runs on it (7.4 `trigger_monitor_poweron`). */
export const hostReturns = (world: World, host: Host): void => {
  host.state = monitored
  for (const vm of vmsOn(world, host)) if (isAt(vm, Lcm.unknown)) vm.lcm = Lcm.running
}

const isAt = ({ lcm, state }: Vm, wanted: number): boolean => state === VmState.active && lcm === wanted

/** "Sun Nov 22 20:30:17 2026", as the C library writes a time. */
export const timeText = (world: World): string => {
  const date = new Date(world.nowMillis)
  const day = String(date.getUTCDate()).padStart(2, " ")
  const clock = date.toISOString().slice(11, 19)
  return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${clock} ${date.getUTCFullYear()}`
}
