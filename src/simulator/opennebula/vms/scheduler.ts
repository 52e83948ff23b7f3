/** Which host takes a VM: the one with the least CPU given away, the newest on a tie. Without room the VM stays PENDING. */
import type { Host, Vm } from "../world/objects.js"
import { capacityOf } from "../world/quota-usage.js"
import type { World } from "../world/world.js"
import { VmState } from "./states.js"

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

/** Of a host: enabled, and seen. One that is disabled or offline takes no more VMs; those that it has stay. */
export const monitored = 2

export const chooseHost = (world: World, vm: Vm): Host | undefined => {
  const needs = { cpu: Number(vm.template.get("CPU")), memory: Number(vm.template.get("MEMORY")) }
  const fitting = [...world.hosts].filter((host) => host.state === monitored && fits(world, host, needs))
  if (fitting.length === 1) return fitting[0]
  return fitting.sort((a, b) => givenAway(world, a).cpu - givenAway(world, b).cpu || b.id - a.id)[0]
}

/** The scheduler's sentence when nothing fits (recording 181). What it says when no host is enabled is not known. */
export const whyNoHost = (world: World, vm: Vm): string => {
  const hosts = world.hosts.oldestFirst()
  const cpu = Number(vm.template.get("CPU"))
  const short = hosts.every((host) => !fits(world, host, { cpu, memory: 0 })) ? "CPU" : "memory"
  return `[HOST] Not enough ${short} on hosts: ${hosts.map((host) => host.id).join(",")}`
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

/** "Sun Nov 22 20:30:17 2026", as the C library writes a time. */
export const timeText = (world: World): string => {
  const date = new Date(world.nowMillis)
  const day = String(date.getUTCDate()).padStart(2, " ")
  const clock = date.toISOString().slice(11, 19)
  return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${day} ${clock} ${date.getUTCFullYear()}`
}
