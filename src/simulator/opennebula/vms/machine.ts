/**
 * The life of a VM after a call has returned: every step waits its time and then happens, unless a newer action has overtaken it.
 * A driver that fails brings the VM back to where it was, as the real one does; a failed deployment shows, and one whose disks could not be moved
 * stays where it is (7.4 `LifeCycleStates.cc`).
 */
import { releaseAddresses } from "../world/leases.js"
import type { Host, Vm } from "../world/objects.js"
import { vmAmounts } from "../world/quota-usage.js"
import { quotaObstacle } from "../world/quotas.js"
import type { DriverAction, World } from "../world/world.js"
import { beginStay, type Cause, clearAction, clusterOf, currentRecord, note, rewrite, turnPage } from "./history.js"
import { chooseHost, hostInError, timeText, whyNoHost } from "./scheduler.js"
import { Lcm, type StatePair, VmAction, VmState } from "./states.js"

export const enter = (vm: Vm, state: number, lcm = 0): void => {
  vm.state = state
  vm.lcm = lcm
}

export const active = (vm: Vm, lcm: number): void => enter(vm, VmState.active, lcm)

/** Carries `then` out later, unless another action on the VM came in between. */
export const afterwards = (world: World, vm: Vm, wait: number, then: () => void): void => {
  const { turn } = vm
  world.later(wait, () => {
    if (vm.turn === turn) then()
  })
}

/** A new action begins: whatever was under way is overtaken. */
export const takeTurn = (vm: Vm): void => {
  vm.turn += 1
}

/** Host capacity became free or a demand smaller: whoever waits may fit now. */
export const wakePending = (world: World): void => {
  const pending = [...world.vms].filter(({ state }) => state === VmState.pending)
  for (const vm of pending.sort((a, b) => a.id - b.id)) schedule(world, vm)
}

/** Waits for the scheduler. Without a fitting host the VM stays PENDING with a message. */
export const schedule = (world: World, vm: Vm): void => {
  takeTurn(vm)
  afterwards(world, vm, world.times.schedule, () => {
    const host = chooseHost(world, vm)
    if (host === undefined) vm.userTemplate.set("SCHED_MESSAGE", `${timeText(world)}: ${whyNoHost(world, vm)}`)
    else dispatch(world, vm, host)
  })
}

/**
 * As the scheduler has it deployed. A quota of the host's cluster is asked only now: it stays PENDING then, and says why as what has failed does (7.4
 * `VirtualMachineAPI::deploy`, `PlanManager::start_action`).
 */
const dispatch = (world: World, vm: Vm, host: Host): void => {
  const isThere = clusterOf(vm) === host.cluster
  const demand = { cluster: host.cluster, skipsGlobal: true, VM: vmAmounts(vm) }
  const obstacle = isThere ? undefined : quotaObstacle(world, vm, demand)
  if (obstacle === undefined) deployOn(world, vm, host)
  else {
    vm.userTemplate.remove("SCHED_MESSAGE")
    vm.userTemplate.set("ERROR", `${timeText(world)}: [deploy] User [0] : ${obstacle}.`)
  }
}

const resumeSteps = (vm: Vm): { readonly prolog: number; readonly boot: number } => {
  switch (currentRecord(vm)?.action) {
    case VmAction.undeploy:
    case VmAction.undeployHard:
      return { prolog: Lcm.prologUndeploy, boot: Lcm.bootUndeploy }
    case VmAction.stop:
      return { prolog: Lcm.prologResume, boot: Lcm.bootStopped }
    default:
      return { prolog: Lcm.prolog, boot: Lcm.boot }
  }
}

/** From the choice of a host to RUNNING. */
export const deployOn = (world: World, vm: Vm, host: Host): void => {
  const steps = resumeSteps(vm)
  takeTurn(vm)
  vm.userTemplate.remove("SCHED_MESSAGE")
  active(vm, Lcm.init)
  beginStay(world, vm, host)
  vm.template.set("TM_MAD_SYSTEM", "dummy")
  const requirements = vm.template.get("AUTOMATIC_DS_REQUIREMENTS")
  // A VM that has disks in a system datastore can only come back to one of that kind (recording 147).
  if (steps.prolog !== Lcm.prolog && requirements !== undefined && !requirements.includes("TM_MAD"))
    vm.template.set("AUTOMATIC_DS_REQUIREMENTS", `${requirements} & (TM_MAD = "dummy")`)
  afterwards(world, vm, world.times.dispatch, () => {
    prolog(world, vm, steps.prolog)
    rewrite(vm)
  })
}

/** What follows a PROLOG, and where a VM is whose disks could not be brought to its host (7.4 `trigger_prolog_success`, `_failure`). */
export const prologs: ReadonlyMap<number, { readonly boot: number; readonly failed: number }> = new Map([
  [Lcm.prolog, { boot: Lcm.boot, failed: Lcm.prologFailure }],
  [Lcm.prologUndeploy, { boot: Lcm.bootUndeploy, failed: Lcm.prologUndeployFailure }],
  [Lcm.prologResume, { boot: Lcm.bootStopped, failed: Lcm.prologResumeFailure }],
  [Lcm.prologMigrate, { boot: Lcm.bootMigrate, failed: Lcm.prologMigrateFailure }]
])

export const prolog = (world: World, vm: Vm, lcm: number): void => {
  active(vm, lcm)
  afterwards(world, vm, world.times.prolog, () => {
    note(vm, { petime: world.now })
    const { boot: next, failed } = prologs.get(lcm) ?? { boot: Lcm.boot, failed: Lcm.prologFailure }
    if (driverFails(world, vm, "prolog")) return transferFailed(world, vm, failed)
    boot(world, vm, next)
  })
}

/** One that is dead fails whatever it is told. */
export const driverFails = (world: World, vm: Vm, action: DriverAction): boolean =>
  world.fails(action, vm.id) || currentRecord(vm)?.host.state === hostInError

const fail = (world: World, vm: Vm, step: string, { lcm, state }: StatePair): void => {
  enter(vm, state, lcm)
  note(vm, { retime: world.now })
  vm.userTemplate.set("ERROR", `${timeText(world)}: ${step}: ${deployIdOf(vm)}`)
}

/** Its disks could not be copied, grown or removed (7.4 `TransferManager::_transfer`). */
export const sayTransferFailed = (world: World, vm: Vm): void =>
  vm.userTemplate.set("ERROR", `${timeText(world)}: Error executing image transfer script: dummy`)

const transferFailed = (world: World, vm: Vm, lcm: number): void => {
  active(vm, lcm)
  sayTransferFailed(world, vm)
}

const deployIdOf = (vm: Vm): string => `${currentRecord(vm)?.host.name}:${vm.name}:dummy`

/** Where what does not boot is then: back where it came from, if it can be (7.4 `LifeCycleStates.cc`, `trigger_deploy_failure`). */
export const afterFailedBoot: ReadonlyMap<number, StatePair> = new Map([
  [Lcm.bootUnknown, { state: VmState.active, lcm: Lcm.unknown }],
  [Lcm.bootMigrate, { state: VmState.active, lcm: Lcm.bootMigrateFailure }],
  [Lcm.bootPoweroff, { state: VmState.poweroff, lcm: 0 }],
  [Lcm.bootSuspended, { state: VmState.suspended, lcm: 0 }],
  [Lcm.bootStopped, { state: VmState.active, lcm: Lcm.bootStoppedFailure }],
  [Lcm.bootUndeploy, { state: VmState.active, lcm: Lcm.bootUndeployFailure }]
])
export const bootFailed: StatePair = { state: VmState.active, lcm: Lcm.bootFailure }

const graphicsBase = 5900

/** Boots on the current host: first start, retry after a failure, or resume. */
export const boot = (world: World, vm: Vm, lcm: number, wait = world.times.boot): void => {
  active(vm, lcm)
  note(vm, { rstime: world.now, retime: 0 })
  afterwards(world, vm, wait, () => {
    if (driverFails(world, vm, "deploy")) return fail(world, vm, "DEPLOY", afterFailedBoot.get(vm.lcm) ?? bootFailed)
    vm.deployId = deployIdOf(vm)
    for (const graphics of vm.template.vectors("GRAPHICS"))
      if (!graphics.values.has("PORT"))
        vm.template.change(graphics, (values) => values.set("PORT", String(graphicsBase + vm.id)))
    clearAction(vm)
    active(vm, Lcm.running)
  })
}

/**
 * Resume from POWEROFF or SUSPENDED on the same host. It counts as running when it is heard, and is begun in its turn: of two that are heard before that the
 * second is not, and has counted all the same, as has one whose boot fails (7.4 `VirtualMachineAPI::action`, `trigger_restart`, `trigger_deploy_failure`).
 */
export const resumeHere = (world: World, vm: Vm, lcm: number, wait: number, cause: Cause): void => {
  if (vm.countsAsRunning) vm.overcounted += 1
  vm.countsAsRunning = true
  const from = vm.state
  const begin = () => {
    if (vm.state !== from) return
    takeTurn(vm)
    const record = currentRecord(vm)
    if (record !== undefined) {
      const { action, gid, requestId, uid } = record
      turnPage(world, vm, action, { uid, gid, requestId })
      note(vm, { retime: 0, action: VmAction.resume, ...cause })
    }
    boot(world, vm, lcm, wait)
  }
  if (world.times.queue === 0) begin()
  else world.later(world.times.queue, begin)
}

/** Resume from STOPPED or UNDEPLOYED: waits for a host again. */
export const resumeElsewhere = (world: World, vm: Vm): void => {
  vm.countsAsRunning = true
  enter(vm, VmState.pending)
  schedule(world, vm)
}

export interface HaltPlan {
  readonly during: number
  readonly driver: DriverAction
  readonly wait: number
  /** A second step with its LCM state, for what ends in STOPPED or UNDEPLOYED. */
  readonly epilog?: number
  readonly end: number
  readonly action: number
}

/** poweroff, suspend, stop, undeploy: back to RUNNING without a word when the driver fails. */
export const halt = (world: World, vm: Vm, plan: HaltPlan, cause: Cause): void => {
  takeTurn(vm)
  active(vm, plan.during)
  const finish = () => {
    enter(vm, plan.end)
    vm.countsAsRunning = false
  }
  afterwards(world, vm, plan.wait, () => {
    if (driverFails(world, vm, plan.driver)) return active(vm, Lcm.running)
    note(vm, { retime: world.now, action: plan.action, ...cause })
    const { epilog } = plan
    if (epilog === undefined) return finish()
    note(vm, { estime: world.now })
    takeOff(world, vm, epilog)
  })
}

/** Where a VM is whose disks left its host, and where it stays if they could not (7.4 `trigger_epilog_success`, `_failure`). */
export const epilogs: ReadonlyMap<number, { readonly end: number; readonly failed: number }> = new Map([
  [Lcm.epilogStop, { end: VmState.stopped, failed: Lcm.epilogStopFailure }],
  [Lcm.epilogUndeploy, { end: VmState.undeployed, failed: Lcm.epilogUndeployFailure }]
])

/** Its disks leave its host. */
export const takeOff = (world: World, vm: Vm, lcm: number): void => {
  active(vm, lcm)
  afterwards(world, vm, world.times.epilog, () => {
    const { end, failed } = epilogs.get(lcm) ?? { end: VmState.undeployed, failed: Lcm.epilogUndeployFailure }
    if (driverFails(world, vm, "epilog")) return transferFailed(world, vm, failed)
    tookOff(world, vm, end)
  })
}

export const tookOff = (world: World, vm: Vm, end: number): void => {
  note(vm, { eetime: world.now, etime: world.now })
  enter(vm, end)
  vm.countsAsRunning = false
  wakePending(world)
}

/** Its disks leave the host of a VM that is powered off (7.4 `DispatchManagerActions.cc`, `undeploy`). */
export const undeployStopped = (world: World, vm: Vm, action: number, cause: Cause): void => {
  takeTurn(vm)
  note(vm, { estime: world.now, action, ...cause })
  takeOff(world, vm, Lcm.epilogUndeploy)
}

/** The VM is DONE: leases, ports and images are free again. */
export const finish = (world: World, vm: Vm): void => {
  takeTurn(vm)
  enter(vm, VmState.done)
  vm.etime = world.now
  for (const network of world.networks) {
    releaseAddresses(network, { kind: "VM", id: vm.id })
    network.vms.delete(vm.id)
  }
  for (const graphics of vm.template.vectors("GRAPHICS"))
    vm.template.change(graphics, (values) => values.delete("PORT"))
  wakePending(world)
}

export const epilog = (world: World, vm: Vm, action: number, cause: Cause): void => {
  active(vm, Lcm.epilog)
  note(vm, { estime: world.now })
  afterwards(world, vm, world.times.epilog, () => {
    if (driverFails(world, vm, "epilog")) return transferFailed(world, vm, Lcm.epilogFailure)
    endEpilog(world, vm, action, cause)
  })
}

export const endEpilog = (world: World, vm: Vm, action: number, cause: Cause): void => {
  note(vm, { eetime: world.now, etime: world.now, action, ...cause })
  finish(world, vm)
}

/** From a running VM by way of SHUTDOWN; a driver that fails leaves it RUNNING. */
export const shutDownAndFinish = (world: World, vm: Vm, hard: boolean, cause: Cause): void => {
  takeTurn(vm)
  active(vm, Lcm.shutdown)
  afterwards(world, vm, world.times.shutdown, () => {
    if (driverFails(world, vm, hard ? "cancel" : "shutdown")) return active(vm, Lcm.running)
    note(vm, { retime: world.now })
    epilog(world, vm, hard ? VmAction.terminateHard : VmAction.terminate, cause)
  })
}

/** From a VM that is not running: EPILOG only. */
export const finishStopped = (world: World, vm: Vm, hard: boolean, cause: Cause): void => {
  takeTurn(vm)
  epilog(world, vm, hard ? VmAction.terminateHard : VmAction.terminate, cause)
}

const endCleanUp = (world: World, vm: Vm, action: number, cause: Cause): void => {
  const record = currentRecord(vm)
  if (record === undefined) return
  if (record.retime === 0) record.retime = world.now
  if (record.estime !== 0) record.eetime = world.now
  note(vm, { etime: world.now, action, ...cause })
}

/** Deletes without asking the hypervisor's leave: after failures, by `recover`, by a router's deletion. */
export const cleanUp = (world: World, vm: Vm, cause: Cause): void => {
  takeTurn(vm)
  active(vm, Lcm.cleanupDelete)
  afterwards(world, vm, world.times.cleanup, () => {
    endCleanUp(world, vm, VmAction.delete, cause)
    finish(world, vm)
  })
}

/** The same, and from the beginning again on whatever host has room (7.4 `trigger_delete_recreate`). */
export const recreate = (world: World, vm: Vm, cause: Cause): void => {
  takeTurn(vm)
  active(vm, Lcm.cleanupResubmit)
  afterwards(world, vm, world.times.cleanup, () => {
    endCleanUp(world, vm, VmAction.deleteRecreate, cause)
    vm.countsAsRunning = true
    enter(vm, VmState.pending)
    wakePending(world)
  })
}
