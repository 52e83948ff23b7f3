/** `one.vm.action`: which action each state allows, and what it starts. */
import type { Methods } from "../method.js"
import { actionRefused } from "../wire/refusals.js"
import { int } from "../wire/values.js"
import { requireRight, targetOf } from "../world/access.js"
import type { Vm } from "../world/objects.js"
import { type Demand, quotaObstacle } from "../world/quotas.js"
import type { World } from "../world/world.js"
import { type Cause, causeOf, clusterOf } from "./history.js"
import {
  boot,
  cleanUp,
  enter,
  finish,
  finishStopped,
  halt,
  resumeElsewhere,
  resumeHere,
  schedule,
  shutDownAndFinish,
  takeTurn,
  undeployStopped
} from "./machine.js"
import { Lcm, stateName, VmAction, VmState } from "./states.js"

/** Starts the action, or returns false when the VM's state does not allow it. */
type Action = (world: World, vm: Vm, cause: Cause) => boolean

const isRunning = (vm: Vm) => vm.state === VmState.active && (vm.lcm === Lcm.running || vm.lcm === Lcm.unknown)
const isActiveAt = (vm: Vm, ...lcms: ReadonlyArray<number>) => vm.state === VmState.active && lcms.includes(vm.lcm)

/** What a terminate's history record says: the VM's owner, not the caller (recording 464). */
const ownerAsCause = (vm: Vm, cause: Cause): Cause => ({ uid: vm.uid, gid: vm.gid, requestId: cause.requestId })

const neverDeployed: ReadonlySet<number> = new Set([
  VmState.pending,
  VmState.hold,
  VmState.cloning,
  VmState.cloningFailure
])

/** What has failed for good is cleaned up (7.4 `DispatchManager::terminate`). */
const failures = [
  Lcm.bootFailure,
  Lcm.bootMigrateFailure,
  Lcm.bootUndeployFailure,
  Lcm.bootStoppedFailure,
  Lcm.prologFailure,
  Lcm.prologMigrateFailure,
  Lcm.prologMigratePoweroffFailure,
  Lcm.prologMigrateSuspendFailure,
  Lcm.prologMigrateUnknownFailure,
  Lcm.prologResumeFailure,
  Lcm.prologUndeployFailure,
  Lcm.epilogFailure,
  Lcm.epilogStopFailure,
  Lcm.epilogUndeployFailure
]

export const terminate =
  (hard: boolean): Action =>
  (world, vm, cause) => {
    if (vm.state === VmState.done) return true
    const by = ownerAsCause(vm, cause)
    // A hard one overrides a shutdown that may hang; one whose disks go already takes nothing.
    if (isRunning(vm) || (hard && isActiveAt(vm, Lcm.shutdown))) shutDownAndFinish(world, vm, hard, by)
    else if (neverDeployed.has(vm.state)) finish(world, vm)
    else if (vm.state !== VmState.active) finishStopped(world, vm, hard, by)
    else if (isActiveAt(vm, ...failures)) cleanUp(world, vm, by)
    else return false
    return true
  }

const whenRunning =
  (start: (world: World, vm: Vm, cause: Cause) => void, orAt: ReadonlyArray<number> = []): Action =>
  (world, vm, cause) => {
    if (!isActiveAt(vm, Lcm.running, ...orAt)) return false
    start(world, vm, cause)
    return true
  }

/** A hard one overrides a soft one that may hang (7.4 `DispatchManager::poweroff`, `undeploy`). */
const shutDown = (hard: boolean, to: Omit<Parameters<typeof halt>[2], "driver" | "wait">) =>
  whenRunning(
    (world, vm, cause) =>
      halt(world, vm, { ...to, driver: hard ? "cancel" : "shutdown", wait: world.times.shutdown }, cause),
    hard ? [Lcm.unknown, to.during] : [Lcm.unknown]
  )

const powerOff = (hard: boolean) =>
  shutDown(hard, {
    during: Lcm.shutdownPoweroff,
    end: VmState.poweroff,
    action: hard ? VmAction.poweroffHard : VmAction.poweroff
  })

const undeployRunning = (hard: boolean) =>
  shutDown(hard, {
    during: Lcm.shutdownUndeploy,
    epilog: Lcm.epilogUndeploy,
    end: VmState.undeployed,
    action: hard ? VmAction.undeployHard : VmAction.undeploy
  })

const undeploy =
  (hard: boolean): Action =>
  (world, vm, cause) => {
    if (vm.state !== VmState.poweroff) return undeployRunning(hard)(world, vm, cause)
    undeployStopped(world, vm, hard ? VmAction.undeployHard : VmAction.undeploy, cause)
    return true
  }

/** On the host that was lost sight of: running, or not known again (7.4 `trigger_restart`, `trigger_deploy_failure`). */
const bootAgain = (world: World, vm: Vm): void => {
  takeTurn(vm)
  boot(world, vm, Lcm.bootUnknown)
}

const resume: Action = (world, vm, cause) => {
  if (vm.state === VmState.poweroff) resumeHere(world, vm, Lcm.bootPoweroff, world.times.boot, cause)
  else if (vm.state === VmState.suspended) resumeHere(world, vm, Lcm.bootSuspended, world.times.restore, cause)
  else if (vm.state === VmState.stopped || vm.state === VmState.undeployed) resumeElsewhere(world, vm)
  else if (!isActiveAt(vm, Lcm.unknown)) return false
  else bootAgain(world, vm)
  return true
}

const nothingChanges = whenRunning(() => undefined)

const setResched = (resched: boolean) =>
  whenRunning(
    (_, vm) => {
      vm.resched = resched
    },
    [Lcm.unknown]
  )

const actions: Readonly<Record<string, Action>> = {
  terminate: terminate(false),
  "terminate-hard": terminate(true),
  poweroff: powerOff(false),
  "poweroff-hard": powerOff(true),
  undeploy: undeploy(false),
  "undeploy-hard": undeploy(true),
  suspend: whenRunning((world, vm, cause) =>
    halt(
      world,
      vm,
      {
        during: Lcm.saveSuspend,
        driver: "save",
        wait: world.times.save,
        end: VmState.suspended,
        action: VmAction.suspend
      },
      cause
    )
  ),
  stop: whenRunning((world, vm, cause) =>
    halt(
      world,
      vm,
      {
        during: Lcm.saveStop,
        driver: "save",
        wait: world.times.save,
        epilog: Lcm.epilogStop,
        end: VmState.stopped,
        action: VmAction.stop
      },
      cause
    )
  ),
  resume,
  reboot: nothingChanges,
  "reboot-hard": nothingChanges,
  resched: setResched(true),
  unresched: setResched(false),
  hold: (_, vm) => {
    if (vm.state !== VmState.pending) return false
    takeTurn(vm)
    enter(vm, VmState.hold)
    return true
  },
  release: (world, vm) => {
    if (vm.state !== VmState.hold) return false
    enter(vm, VmState.pending)
    schedule(world, vm)
    return true
  }
}

export const vmTarget = (vm: Vm) => targetOf("VM", vm)

/** What a resume adds to RUNNING_* quotas. */
const resumeDemand = (vm: Vm): Demand => ({
  cluster: clusterOf(vm),
  VM: new Map([
    ["RUNNING_VMS", 1],
    ["RUNNING_CPU", Number(vm.template.get("CPU") ?? 0)],
    ["RUNNING_MEMORY", Number(vm.template.get("MEMORY") ?? 0)]
  ])
})

export const vmActionMethods: Methods = {
  "one.vm.action": (call) => {
    const { args, caller, world } = call
    const [name, id] = [args.string(0), args.int(1)]
    const vm = world.vms.get(id)
    requireRight(world, caller, "MANAGE", vmTarget(vm))
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (action === undefined) throw actionRefused(`Action "${name}" is not supported`)
    // Quotas are looked at before the state is (recording 377).
    const obstacle = name === "resume" ? quotaObstacle(world, vm, resumeDemand(vm)) : undefined
    if (obstacle !== undefined) throw actionRefused(obstacle)
    if (!action(world, vm, causeOf(call)))
      throw actionRefused(`Error performing action "${name}": This action is not available for state ${stateName(vm)}`)
    return int(id)
  }
}
