/** `one.vm.resize` and `one.vm.diskresize`: accepted at once, done later when the VM runs, undone without a word when the driver fails. */
import type { Methods } from "../method.js"
import { actionRefused, internalError, notAuthorized } from "../wire/refusals.js"
import { int } from "../wire/values.js"
import { requireRight } from "../world/access.js"
import type { Vm } from "../world/objects.js"
import { readTemplate } from "../world/owned.js"
import { quotaObstacle, requireQuota } from "../world/quotas.js"
import type { Template, Vector } from "../world/template.js"
import type { World } from "../world/world.js"
import { vmTarget } from "./actions.js"
import { asItIs, causeOf, clusterOf, rewrite, turnPage } from "./history.js"
import { active, afterwards, driverFails, enter, sayTransferFailed, schedule, takeTurn } from "./machine.js"
import { fits } from "./scheduler.js"
import { Lcm, stateName, VmAction, VmState } from "./states.js"

const isRunning = (vm: Vm) => vm.state === VmState.active && vm.lcm === Lcm.running

const capacityNames = ["CPU", "MEMORY", "VCPU"] as const
type Capacity = Partial<Record<(typeof capacityNames)[number], string>>

/** As C reads a number: "1.5" is 1 for a whole number, "abc" is nothing, and nothing or 0 leaves the value as it is. */
const readCapacity = (template: Template): Capacity => {
  const wanted: Capacity = {}
  for (const name of capacityNames) {
    const text = template.get(name) ?? ""
    const value = name === "CPU" ? Number.parseFloat(text) : Number.parseInt(text, 10)
    if (value < 0)
      throw internalError(`${name} must be a positive ${name === "CPU" ? "float or integer" : "integer"} value.`)
    if (value > 0) wanted[name] = String(value)
  }
  return wanted
}

const apply = (vm: Vm, wanted: Capacity): void => {
  for (const name of capacityNames) {
    const value = wanted[name]
    if (value !== undefined) vm.template.set(name, value)
  }
}

/** Of a VM whose cores are arranged, how many it has then: threads and sockets stay (7.4 `VirtualMachine::resize`). */
const coresFor = (vm: Vm, vcpu: number) => {
  const [topology] = vm.template.vectors("TOPOLOGY")
  if (topology === undefined) return undefined
  const [sockets = 0, cores = 0, threads = 0] = ["SOCKETS", "CORES", "THREADS"].map((name) =>
    Number(topology.values.get(name) ?? 0)
  )
  if (sockets * cores * threads === 0 || sockets * cores * threads === vcpu) return undefined
  if (vcpu % (threads * sockets) !== 0) throw actionRefused("new VCPU is not multiple of the total number of threads")
  return { topology, count: vcpu / (threads * sockets) }
}

const resizable = (vm: Vm) =>
  isRunning(vm) ||
  vm.state === VmState.poweroff ||
  vm.state === VmState.undeployed ||
  vm.state === VmState.pending ||
  vm.state === VmState.hold

const finishLiveResize = (world: World, vm: Vm, before: Capacity): void => {
  takeTurn(vm)
  active(vm, Lcm.hotplugResize)
  afterwards(world, vm, world.times.liveResize, () => {
    if (driverFails(world, vm, "live-resize")) apply(vm, before)
    active(vm, Lcm.running)
    rewrite(vm)
  })
}

const diskOf = (vm: Vm, diskId: string): Vector | undefined =>
  vm.template.vectors("DISK").find(({ values }) => values.get("DISK_ID") === diskId)

const resizeDisk = (world: World, vm: Vm, diskId: string, size: string): void => {
  const setSize = (to: string) => {
    const disk = diskOf(vm, diskId)
    if (disk !== undefined) vm.template.change(disk, (values) => values.set("SIZE", to))
  }
  const before = diskOf(vm, diskId)?.values.get("SIZE") ?? size
  const live = isRunning(vm)
  const { state } = vm
  takeTurn(vm)
  active(vm, live ? Lcm.diskResize : state === VmState.poweroff ? Lcm.diskResizePoweroff : Lcm.diskResizeUndeployed)
  setSize(size)
  afterwards(world, vm, world.times.diskResize, () => {
    if (driverFails(world, vm, live ? "live-disk-resize" : "disk-resize")) {
      setSize(before)
      if (!live) sayTransferFailed(world, vm)
    }
    if (live) active(vm, Lcm.running)
    else enter(vm, state)
    rewrite(vm)
  })
}

export const vmCapacityMethods: Methods = {
  "one.vm.resize": (call) => {
    const { args, caller, world } = call
    const [id, text, enforce] = [args.int(0), args.string(1), args.boolean(2)]
    const vm = world.vms.get(id)
    requireRight(world, caller, enforce ? "MANAGE" : "ADMIN", vmTarget(vm))
    const wanted = readCapacity(readTemplate(text, internalError))
    const more = (name: "CPU" | "MEMORY") =>
      Number(wanted[name] ?? vm.template.get(name)) - Number(vm.template.get(name))
    const running = vm.countsAsRunning ? 1 : 0
    requireQuota(world, caller.id, vm, {
      cluster: clusterOf(vm),
      VM: new Map([
        ["CPU", more("CPU")],
        ["RUNNING_CPU", running * more("CPU")],
        ["MEMORY", more("MEMORY")],
        ["RUNNING_MEMORY", running * more("MEMORY")]
      ])
    })
    if (!resizable(vm)) throw actionRefused(`Cannot resize a VM in state ${stateName(vm)}`)
    const host = vm.state === VmState.undeployed ? undefined : vm.history.at(-1)?.host
    if (enforce && host !== undefined && !fits(world, host, { cpu: more("CPU"), memory: more("MEMORY") }))
      throw actionRefused(`Host ${host.id} does not have enough capacity.`)
    const cores = coresFor(vm, Number(wanted.VCPU ?? vm.template.get("VCPU") ?? 1))
    const before = Object.fromEntries(capacityNames.map((name) => [name, vm.template.get(name)]))
    const live = isRunning(vm)
    const asItWas = asItIs(vm)
    apply(vm, wanted)
    if (cores !== undefined) vm.template.change(cores.topology, (values) => values.set("CORES", String(cores.count)))
    turnPage(world, vm, VmAction.resize, causeOf(call), { asItWas })
    if (live) finishLiveResize(world, vm, before)
    if (vm.state === VmState.pending) schedule(world, vm)
    return int(id)
  },
  "one.vm.diskresize": (call) => {
    const { args, caller, world } = call
    const [id, diskId, text] = [args.int(0), args.int(1), args.string(2)]
    const vm = world.vms.get(id)
    requireRight(world, caller, "MANAGE", vmTarget(vm))
    if (!/^\s*-?\d+/.test(text)) throw actionRefused("Disk SIZE is not a valid integer")
    const size = Number.parseInt(text, 10)
    const disk = diskOf(vm, String(diskId))
    if (disk === undefined) throw actionRefused("VM disk does not exist")
    const more = size - Number(disk.values.get("SIZE") ?? 0)
    if (more <= 0) throw actionRefused("New disk size has to be greater than current one")
    // Why, it puts where nobody reads it (7.4 `VirtualMachineAPI::disk_resize`).
    const demand = { cluster: clusterOf(vm), VM: new Map([["SYSTEM_DISK_SIZE", more]]) }
    if (quotaObstacle(world, vm, demand) !== undefined)
      throw notAuthorized(`User [${caller.id}] not authorized to perform action on virtual machine.`)
    if (!isRunning(vm) && vm.state !== VmState.poweroff && vm.state !== VmState.undeployed)
      throw actionRefused(`Could not resize disk for VM ${id}, wrong state ${stateName(vm)}.`)
    turnPage(world, vm, VmAction.diskResize, causeOf(call))
    resizeDisk(world, vm, String(diskId), String(size))
    return int(id)
  }
}
