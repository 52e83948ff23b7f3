/** VMs: reading them alone, in pools and sets; owners, hosts. What they do is in actions.ts, capacity.ts, devices.ts. */
import type { Call, Methods } from "../method.js"
import { actionRefused, internalError } from "../wire/refusals.js"
import { int, string } from "../wire/values.js"
import { wrap } from "../wire/xml.js"
import { mayDo, requireRight } from "../world/access.js"
import type { Vm } from "../world/objects.js"
import { ownedMethods, rangeFrom, selectOwned } from "../world/owned.js"
import { vmAmounts } from "../world/quota-usage.js"
import { type Demand, requireQuota } from "../world/quotas.js"
import { vmActionMethods, vmTarget } from "./actions.js"
import { vmCapacityMethods } from "./capacity.js"
import { vmDeviceMethods } from "./devices.js"
import { briefVmDocument, vmDocument } from "./documents.js"
import { causeOf, clusterOf, turnPage } from "./history.js"
import { active, afterwards, deployOn, takeTurn } from "./machine.js"
import { vmRecoverMethods } from "./recover.js"
import { fits } from "./scheduler.js"
import { Lcm, stateName, VmAction, VmState } from "./states.js"

const isRunning = (vm: Vm) => vm.state === VmState.active && vm.lcm === Lcm.running

/** What moves to the new owner's quotas with a VM. */
export const vmDemand = (vms: ReadonlyArray<Vm>): Demand => {
  const totals = new Map<string, number>()
  const leases = new Map<string, Map<string, number>>()
  for (const vm of vms.filter((one) => one.state !== VmState.done)) {
    for (const [metric, amount] of vmAmounts(vm)) totals.set(metric, (totals.get(metric) ?? 0) + amount)
    for (const nic of vm.template.vectors("NIC")) {
      const id = nic.values.get("NETWORK_ID") ?? ""
      leases.set(id, new Map([["LEASES", (leases.get(id)?.get("LEASES") ?? 0) + 1]]))
    }
  }
  // Those of a router are in one.
  const [first] = vms
  return { cluster: first === undefined ? undefined : clusterOf(first), VM: totals, NETWORK: leases }
}

/** Throws 0x0200 when the new owner's quotas have no room. Whoever stays owner is not asked. */
export const requireRoomForVms = (
  call: Call,
  vms: ReadonlyArray<Vm>,
  to: { readonly uid: number; readonly gid: number }
): void => {
  const forUser = vms.filter((vm) => vm.uid !== to.uid)
  const forGroup = vms.filter((vm) => vm.gid !== to.gid)
  if (forUser.length > 0) requireQuota(call.world, call.caller.id, { uid: to.uid, gid: 0 }, vmDemand(forUser))
  if (forGroup.length > 0) requireQuota(call.world, call.caller.id, { uid: 0, gid: to.gid }, vmDemand(forGroup))
}

/** State filter of pools: -2 any, -1 any but DONE, otherwise that state. */
const stateMatches = (vm: Vm, wanted: number): boolean =>
  wanted === -2 || (wanted === -1 ? vm.state !== VmState.done : vm.state === wanted)

const pool = (document: (vm: Vm) => string) => (call: Call) => {
  const range = rangeFrom(call)
  const state = call.args.int(3)
  const filter = call.args.string(4, "")
  if (filter !== "") throw internalError("JSON query search is not supported by the SQL backend")
  const candidates = [...call.world.vms].filter((vm) => stateMatches(vm, state))
  return string(wrap("VM_POOL", selectOwned(call, candidates, vmTarget, range).map(document).join("")))
}

const withLastRecord = (vm: Vm): string => vmDocument(vm, vm.history.slice(-1))

export const vmMethods: Methods = {
  ...ownedMethods<Vm>({
    prefix: "vm",
    kind: "VM",
    pool: (world) => world.vms,
    uniqueNames: false,
    template: (vm) => vm.userTemplate,
    beforeChown: (call, vm, to) => requireRoomForVms(call, [vm], to)
  }),
  ...vmActionMethods,
  ...vmRecoverMethods,
  ...vmCapacityMethods,
  ...vmDeviceMethods,
  "one.vm.info": ({ args, caller, world }) => {
    const vm = world.vms.get(args.int(0))
    requireRight(world, caller, "USE", vmTarget(vm))
    return string(vmDocument(vm))
  },
  "one.vmpool.info": pool(briefVmDocument),
  "one.vmpool.infoextended": pool(withLastRecord),
  "one.vmpool.infoset": ({ args, caller, world }) => {
    const ids = new Set(
      args
        .string(0)
        .split(",")
        .map((id) => (/^\s*\d+\s*$/.test(id) ? Number(id) : -1))
    )
    args.boolean(1)
    const extended = world.infosetIsLong
    const chosen = Array.from(ids)
      .sort((a, b) => b - a)
      .flatMap((id) => world.vms.find(id) ?? [])
      .filter((vm) => mayDo(world, caller, "USE", vmTarget(vm)))
    return string(wrap("VM_POOL", chosen.map(extended ? withLastRecord : briefVmDocument).join("")))
  },
  "one.vm.deploy": ({ args, caller, world }) => {
    const [id, hostId] = [args.int(0), args.int(1)]
    const vm = world.vms.get(id)
    requireRight(world, caller, "ADMIN", vmTarget(vm))
    const host = world.hosts.get(hostId)
    if (vm.state !== VmState.pending && vm.state !== VmState.hold)
      throw actionRefused(`Deploy action is not available for state ${stateName(vm)}`)
    deployOn(world, vm, host)
    return int(id)
  },
  "one.vm.migrate": (call) => {
    const { args, caller, world } = call
    const [id, hostId, , enforce] = [args.int(0), args.int(1), args.boolean(2, false), args.boolean(3, false)]
    const vm = world.vms.get(id)
    requireRight(world, caller, "ADMIN", vmTarget(vm))
    const host = world.hosts.get(hostId)
    if (!isRunning(vm)) throw actionRefused(`Migrate action is not available for state ${stateName(vm)}`)
    if (vm.history.at(-1)?.host.id === hostId) throw actionRefused(`VM is already running on host ${hostId}`)
    const needs = { cpu: Number(vm.template.get("CPU")), memory: Number(vm.template.get("MEMORY")) }
    if (enforce && !fits(world, host, needs))
      throw actionRefused(`Cannot migrate VM to host ${hostId}: not enough capacity`)
    takeTurn(vm)
    active(vm, Lcm.migrate)
    afterwards(world, vm, world.times.migrate, () => {
      if (!world.fails("migrate", vm.id)) turnPage(world, vm, VmAction.liveMigrate, causeOf(call), { to: host })
      active(vm, Lcm.running)
    })
    return int(id)
  }
}
