/** Plugging into a VM: NICs, disks, snapshots, context. Works in RUNNING and POWEROFF. */
import type { Call, Methods } from "../method.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int } from "../wire/values.js"
import { requireRight, targetOf } from "../world/access.js"
import type { Vm } from "../world/objects.js"
import { readTemplate } from "../world/owned.js"
import { requireQuota } from "../world/quotas.js"
import { type Vector, vector } from "../world/template.js"
import type { World } from "../world/world.js"
import { vmTarget } from "./actions.js"
import { findImage, imageDisk, volatileDisk } from "./build.js"
import { refreshInterfaces } from "./context.js"
import { asItIs, causeOf, turnPage } from "./history.js"
import { active, afterwards, enter, takeTurn } from "./machine.js"
import { addSecurityRules, findNetwork, leaseNic, releaseNic } from "./nics.js"
import { Lcm, stateName, VmAction, VmState } from "./states.js"

const isRunning = (vm: Vm) => vm.state === VmState.active && vm.lcm === Lcm.running

const pluggable = (vm: Vm) => isRunning(vm) || vm.state === VmState.poweroff

/** Passes through a transitional state and comes back to RUNNING or POWEROFF. */
const passThrough = (
  world: World,
  vm: Vm,
  lcm: { readonly live: number; readonly off: number },
  then = () => {}
): void => {
  const live = isRunning(vm)
  takeTurn(vm)
  active(vm, live ? lcm.live : lcm.off)
  afterwards(world, vm, world.times.hotplug, () => {
    then()
    if (live) active(vm, Lcm.running)
    else enter(vm, VmState.poweroff)
  })
}

const nextId = (parts: ReadonlyArray<Vector>, field: string): number =>
  Math.max(-1, ...parts.map(({ values }) => Number(values.get(field) ?? -1))) + 1

const refreshNetworking = (world: World, vm: Vm): void => {
  addSecurityRules(world, vm.template)
  refreshInterfaces(world, vm.template)
}

/** Leases and attaches one NIC. Also how a virtual router gives its VMs a new NIC. Throws when it cannot. */
export const attachNic = (call: Call, vm: Vm, given: Vector): void => {
  const { caller, world } = call
  const network = findNetwork(world, caller, given)
  if (typeof network === "string") throw actionRefused(network)
  requireQuota(world, caller.id, vm, { NETWORK: new Map([[String(network.id), new Map([["LEASES", 1]])]]) })
  if (!pluggable(vm)) throw actionRefused(`Could not add a new NIC to VM ${vm.id}, wrong state ${stateName(vm)}.`)
  const nic = leaseNic(world, caller, vm.id, nextId(vm.template.vectors("NIC"), "NIC_ID"), given)
  if (typeof nic === "string") throw actionRefused(nic)
  vm.template.add(nic)
  refreshNetworking(world, vm)
  turnPage(world, vm, VmAction.nicAttach, causeOf(call))
  passThrough(world, vm, { live: Lcm.hotplugNic, off: Lcm.hotplugNicPoweroff }, () => {
    if (world.fails("attach-nic", vm.id)) removeNic(world, vm, nic)
  })
}

const removeNic = (world: World, vm: Vm, nic: Vector): void => {
  vm.template.keep((attribute) => attribute !== nic)
  releaseNic(world, vm.id, nic, vm.template.vectors("NIC"))
  refreshNetworking(world, vm)
}

export const detachNic = (call: Call, vm: Vm, nic: Vector): void => {
  const { world } = call
  turnPage(world, vm, VmAction.nicDetach, causeOf(call))
  passThrough(world, vm, { live: Lcm.hotplugNic, off: Lcm.hotplugNicPoweroff }, () => {
    if (!world.fails("detach-nic", vm.id)) removeNic(world, vm, nic)
  })
}

const forVm = (call: Call): Vm => {
  const vm = call.world.vms.get(call.args.int(0))
  requireRight(call.world, call.caller, "MANAGE", vmTarget(vm))
  return vm
}

const firstVector = (text: string, name: string): Vector => {
  const found = readTemplate(text, internalError).vectors(name)[0]
  if (found === undefined) throw actionRefused(`No ${name} in template`)
  return found
}

const hotplugDisk = { live: Lcm.hotplug, off: Lcm.hotplugPrologPoweroff }

export const vmDeviceMethods: Methods = {
  "one.vm.attachnic": (call) => {
    const text = call.args.string(1)
    const vm = forVm(call)
    const given = firstVector(text, "NIC")
    const network = findNetwork(call.world, call.caller, given)
    if (typeof network !== "string")
      requireRight(call.world, call.caller, "USE", targetOf("NET", network, network.clusters))
    attachNic(call, vm, given)
    return int(vm.id)
  },
  "one.vm.detachnic": (call) => {
    const nicId = call.args.int(1)
    const vm = forVm(call)
    const nic = vm.template.vectors("NIC").find(({ values }) => values.get("NIC_ID") === String(nicId))
    if (nic === undefined) throw actionRefused(`Could not detach NIC with NIC_ID ${nicId}, it does not exist.`)
    if (!pluggable(vm)) throw actionRefused(`Could not detach NIC from VM ${vm.id}, wrong state ${stateName(vm)}.`)
    detachNic(call, vm, nic)
    return int(vm.id)
  },
  "one.vm.attach": (call) => {
    const { caller, world } = call
    const text = call.args.string(1)
    const vm = forVm(call)
    const given = firstVector(text, "DISK")
    const image = findImage(world, given)
    if (given.values.has("IMAGE_ID") && image === undefined)
      throw actionRefused(`Image with ID: ${given.values.get("IMAGE_ID")} does not exist`)
    const size = Number(given.values.get("SIZE") ?? image?.size ?? 0)
    requireQuota(world, caller.id, vm, { VM: new Map([["SYSTEM_DISK_SIZE", size]]) })
    if (!pluggable(vm)) throw actionRefused(`Could not add a new disk to VM ${vm.id}, wrong state ${stateName(vm)}.`)
    const disks = vm.template.vectors("DISK")
    // The context takes a disk id of its own.
    const diskId = nextId([...disks, ...vm.template.vectors("CONTEXT")], "DISK_ID")
    const target = `sd${String.fromCharCode(97 + disks.length)}`
    const asItWas = asItIs(vm)
    vm.template.add(
      image === undefined
        ? volatileDisk(world, given, diskId, disks.length)
        : imageDisk(world, given, image, diskId, target)
    )
    turnPage(world, vm, VmAction.diskAttach, causeOf(call), { asItWas })
    passThrough(world, vm, hotplugDisk)
    return int(vm.id)
  },
  "one.vm.detach": (call) => {
    const diskId = call.args.int(1)
    const vm = forVm(call)
    const disk = vm.template.vectors("DISK").find(({ values }) => values.get("DISK_ID") === String(diskId))
    if (disk === undefined) throw actionRefused("VM disk does not exist")
    if (!pluggable(vm)) throw actionRefused(`Could not detach disk from VM ${vm.id}, wrong state ${stateName(vm)}.`)
    turnPage(call.world, vm, VmAction.diskDetach, causeOf(call))
    passThrough(call.world, vm, hotplugDisk, () => vm.template.keep((attribute) => attribute !== disk))
    return int(vm.id)
  },
  "one.vm.snapshotcreate": (call) => {
    const { world } = call
    const name = call.args.string(1)
    const vm = forVm(call)
    if (!isRunning(vm))
      throw actionRefused(`Could not create a new snapshot for VM ${vm.id}, wrong state ${stateName(vm)}.`)
    const snapshotId = nextId(vm.template.vectors("SNAPSHOT"), "SNAPSHOT_ID")
    const size = Number(vm.template.get("MEMORY") ?? 0)
    requireQuota(world, call.caller.id, vm, { VM: new Map([["SYSTEM_DISK_SIZE", size]]) })
    vm.template.add(
      vector("SNAPSHOT", {
        HYPERVISOR_ID: "dummy-snap",
        NAME: name,
        SNAPSHOT_ID: snapshotId,
        SYSTEM_DISK_SIZE: size,
        TIME: world.now
      })
    )
    passThrough(world, vm, { live: Lcm.hotplugSnapshot, off: Lcm.hotplugSnapshot })
    return int(snapshotId)
  },
  "one.vm.updateconf": (call) => {
    const { world } = call
    const [text, append] = [call.args.string(1), call.args.int(2, 0)]
    const vm = forVm(call)
    const given = readTemplate(text, internalError)
    const context = vm.template.vectors("CONTEXT")[0]
    const wanted = given.vectors("CONTEXT")[0]
    if (append === 1 && context !== undefined && wanted !== undefined) {
      vm.template.change(context, (values) => {
        for (const [key, value] of wanted.values) values.set(key, value)
      })
      given.remove("CONTEXT")
    }
    vm.template.merge(given)
    refreshInterfaces(world, vm.template)
    if (isRunning(vm)) passThrough(world, vm, hotplugDisk)
    return int(vm.id)
  }
}
