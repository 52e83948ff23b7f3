/** `one.vm.action` and `one.vm.recover`: which action each state allows, and what it starts. */
import type { Call, Methods } from "../method.js"
import { actionRefused } from "../wire/refusals.js"
import { int } from "../wire/values.js"
import { requireRight, targetOf } from "../world/access.js"
import type { Vm } from "../world/objects.js"
import { quotaObstacle } from "../world/quotas.js"
import type { World } from "../world/world.js"
import type { Cause } from "./history.js"
import {
  active,
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

const bootFailures: ReadonlyMap<number, number> = new Map([
  [Lcm.bootFailure, Lcm.boot],
  [Lcm.bootUndeployFailure, Lcm.bootUndeploy],
  [Lcm.bootStoppedFailure, Lcm.bootStopped]
])
const failures = [...bootFailures.keys(), Lcm.prologFailure, Lcm.epilogFailure]

export const terminate =
  (hard: boolean): Action =>
  (world, vm, cause) => {
    if (vm.state === VmState.done || isActiveAt(vm, Lcm.shutdown, Lcm.epilog, Lcm.cleanupDelete)) return true
    const by = ownerAsCause(vm, cause)
    if (isRunning(vm)) shutDownAndFinish(world, vm, hard, by)
    else if (neverDeployed.has(vm.state)) finish(world, vm)
    else if (vm.state !== VmState.active) finishStopped(world, vm, hard, by)
    else if (isActiveAt(vm, ...failures)) cleanUp(world, vm, by)
    else return false
    return true
  }

const whenRunning =
  (start: (world: World, vm: Vm, cause: Cause) => void): Action =>
  (world, vm, cause) => {
    if (!isRunning(vm)) return false
    start(world, vm, cause)
    return true
  }

const powerOff = (hard: boolean) =>
  whenRunning((world, vm, cause) =>
    halt(
      world,
      vm,
      {
        during: Lcm.shutdownPoweroff,
        driver: hard ? "cancel" : "shutdown",
        wait: world.times.shutdown,
        end: VmState.poweroff,
        action: hard ? VmAction.poweroffHard : VmAction.poweroff
      },
      cause
    )
  )

const undeployRunning = (hard: boolean) =>
  whenRunning((world, vm, cause) =>
    halt(
      world,
      vm,
      {
        during: Lcm.shutdownUndeploy,
        driver: hard ? "cancel" : "shutdown",
        wait: world.times.shutdown,
        epilog: Lcm.epilogUndeploy,
        end: VmState.undeployed,
        action: hard ? VmAction.undeployHard : VmAction.undeploy
      },
      cause
    )
  )

const undeploy =
  (hard: boolean): Action =>
  (world, vm, cause) => {
    if (vm.state !== VmState.poweroff) return undeployRunning(hard)(world, vm, cause)
    undeployStopped(world, vm, hard ? VmAction.undeployHard : VmAction.undeploy, cause)
    return true
  }

const resume: Action = (world, vm) => {
  if (vm.state === VmState.poweroff) resumeHere(world, vm, Lcm.bootPoweroff, world.times.boot)
  else if (vm.state === VmState.suspended) resumeHere(world, vm, Lcm.bootSuspended, world.times.restore)
  else if (vm.state === VmState.stopped || vm.state === VmState.undeployed) resumeElsewhere(world, vm)
  else if (!isActiveAt(vm, Lcm.unknown)) return false
  else active(vm, Lcm.running)
  return true
}

const nothingChanges = whenRunning(() => undefined)

const setResched = (resched: boolean) =>
  whenRunning((_, vm) => {
    vm.resched = resched
  })

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

export const causeOf = (call: Call): Cause => ({ uid: call.caller.id, gid: call.caller.gid, requestId: call.requestId })

/** What a resume adds to RUNNING_* quotas. */
const resumeDemand = (vm: Vm) => ({
  VM: new Map([
    ["RUNNING_VMS", 1],
    ["RUNNING_CPU", Number(vm.template.get("CPU") ?? 0)],
    ["RUNNING_MEMORY", Number(vm.template.get("MEMORY") ?? 0)]
  ])
})

/** Recover operations by code: 0 failure, 1 success, 2 retry, 3 delete, 4 recreate, 5 delete from the database. */
const recoveries: ReadonlyArray<Action> = [
  (_, vm) => {
    if (isActiveAt(vm, Lcm.boot)) {
      takeTurn(vm)
      active(vm, Lcm.bootFailure)
    }
    return true
  },
  (_, vm) => {
    if (!isActiveAt(vm, ...bootFailures.keys(), Lcm.boot, Lcm.unknown)) return false
    takeTurn(vm)
    active(vm, Lcm.running)
    return true
  },
  (world, vm) => {
    const again = isActiveAt(vm, vm.lcm) ? bootFailures.get(vm.lcm) : undefined
    if (again === undefined) return false
    takeTurn(vm)
    boot(world, vm, again)
    return true
  },
  (world, vm, cause) => {
    if (vm.state === VmState.done) return false
    cleanUp(world, vm, cause)
    return true
  },
  (world, vm) => {
    if (vm.state === VmState.done) return false
    enter(vm, VmState.pending)
    schedule(world, vm)
    return true
  },
  (world, vm) => {
    finish(world, vm)
    return true
  }
]

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
  },
  "one.vm.recover": (call) => {
    const { args, caller, world } = call
    const [id, operation] = [args.int(0), args.int(1)]
    const vm = world.vms.get(id)
    requireRight(world, caller, "ADMIN", vmTarget(vm))
    const recovery = recoveries[operation]
    if (recovery === undefined) throw actionRefused("Wrong recovery operation code")
    if (!recovery(world, vm, causeOf(call)))
      throw actionRefused(`Recover operation not available for state ${stateName(vm)}`)
    return int(id)
  }
}
