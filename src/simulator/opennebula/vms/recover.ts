/**
 * `one.vm.recover`: an operator's hand on a VM that hangs or has failed. What its driver should have said is taken for said, or it is told once more, or
 * all is cleaned up (OpenNebula 7.4 `LifeCycleManager::recover`, `retry`, `DispatchManager::recover`, `retry`, `delete_vm`, `delete_recreate`). An
 * operation that means nothing in an active VM's state is OK and does nothing.
 */
import type { Methods } from "../method.js"
import { actionRefused } from "../wire/refusals.js"
import { int } from "../wire/values.js"
import { requireRight, targetOf } from "../world/access.js"
import type { Vm } from "../world/objects.js"
import type { World } from "../world/world.js"
import { endCopying, findImage } from "./build.js"
import { type Cause, causeOf, currentRecord } from "./history.js"
import {
  active,
  afterFailedBoot,
  afterwards,
  boot,
  bootFailed,
  cleanUp,
  endEpilog,
  enter,
  epilog,
  epilogs,
  finish,
  prolog,
  prologs,
  recreate,
  schedule,
  takeOff,
  takeTurn,
  tookOff
} from "./machine.js"
import { Lcm, stateName, VmAction, VmState } from "./states.js"

/** Of what has failed: what it was at when it did. */
const wasAt: ReadonlyMap<number, number> = new Map([
  ...[...prologs].map(([lcm, { failed }]) => [failed, lcm] as const),
  ...[...epilogs].map(([lcm, { failed }]) => [failed, lcm] as const),
  ...[...afterFailedBoot].flatMap(([lcm, after]) =>
    after.state === VmState.active && after.lcm !== Lcm.unknown ? [[after.lcm, lcm] as const] : []
  ),
  [Lcm.bootFailure, Lcm.boot],
  [Lcm.epilogFailure, Lcm.epilog],
  [Lcm.prologMigratePoweroffFailure, Lcm.prologMigratePoweroff]
])
const boots: ReadonlySet<number> = new Set([
  Lcm.boot,
  Lcm.bootUnknown,
  Lcm.bootPoweroff,
  Lcm.bootSuspended,
  Lcm.bootStopped,
  Lcm.bootUndeploy,
  Lcm.bootMigrate
])
const canBeEnded: ReadonlySet<number> = new Set([
  ...boots,
  ...prologs.keys(),
  ...epilogs.keys(),
  Lcm.unknown,
  Lcm.prologMigratePoweroff,
  Lcm.shutdownPoweroff,
  Lcm.epilog,
  Lcm.shutdown,
  Lcm.cleanupDelete
])
/** Such have a copy's way to go first. */
const isCopying = ({ state }: Vm) => state === VmState.cloning || state === VmState.cloningFailure

/** Who ended it, of an EPILOG that was begun already. */
const causeOfEnd = (vm: Vm): Cause => ({ uid: vm.uid, gid: vm.gid, requestId: currentRecord(vm)?.requestId ?? -1 })

const succeed = (world: World, vm: Vm): void => {
  const lcm = wasAt.get(vm.lcm) ?? vm.lcm
  // What else there is ends by itself in a moment, here.
  if (!canBeEnded.has(lcm)) return
  takeTurn(vm)
  const next = prologs.get(lcm)
  const off = epilogs.get(lcm)
  if (boots.has(lcm) || lcm === Lcm.unknown) active(vm, Lcm.running)
  else if (next !== undefined) boot(world, vm, next.boot)
  else if (off !== undefined) tookOff(world, vm, off.end)
  else if (lcm === Lcm.prologMigratePoweroff || lcm === Lcm.shutdownPoweroff) {
    vm.countsAsRunning = false
    enter(vm, VmState.poweroff)
  } else if (lcm === Lcm.epilog) endEpilog(world, vm, VmAction.terminateHard, causeOfEnd(vm))
  else if (lcm === Lcm.shutdown) epilog(world, vm, VmAction.terminateHard, causeOfEnd(vm))
  else if (lcm === Lcm.cleanupDelete) finish(world, vm)
}

const fail = (vm: Vm): void => {
  const failed = prologs.get(vm.lcm)?.failed ?? epilogs.get(vm.lcm)?.failed
  if (boots.has(vm.lcm)) {
    takeTurn(vm)
    const after = afterFailedBoot.get(vm.lcm) ?? bootFailed
    enter(vm, after.state, after.lcm)
  } else if (failed !== undefined || vm.lcm === Lcm.epilog) {
    takeTurn(vm)
    active(vm, failed ?? Lcm.epilogFailure)
  } else if ([Lcm.shutdown, Lcm.shutdownPoweroff, Lcm.unknown].some((lcm) => lcm === vm.lcm)) {
    takeTurn(vm)
    active(vm, Lcm.running)
  } else if (vm.lcm === Lcm.prologMigratePoweroffFailure) {
    // Its disks are where they were.
    takeTurn(vm)
    enter(vm, VmState.poweroff)
  }
}

const again = (world: World, vm: Vm): void => {
  const lcm = wasAt.get(vm.lcm)
  if (lcm === undefined) return
  takeTurn(vm)
  if (boots.has(lcm)) boot(world, vm, lcm)
  else if (prologs.has(lcm)) prolog(world, vm, lcm)
  else if (epilogs.has(lcm)) takeOff(world, vm, lcm)
  else if (lcm === Lcm.prologMigratePoweroff) {
    active(vm, lcm)
    afterwards(world, vm, world.times.prolog, () => enter(vm, VmState.poweroff))
  } else if (lcm === Lcm.epilog) epilog(world, vm, VmAction.terminateHard, causeOfEnd(vm))
}

const wrongState = (vm: Vm, what: string) =>
  actionRefused(`Could not perform a ${what} on VM ${vm.id}, wrong state ${stateName(vm)}.`)

const startAnew = (world: World, vm: Vm, cause: Cause): void => {
  if (vm.state === VmState.poweroff) throw actionRefused("Cannot delete-recreate a powered off VM. Resume it first")
  if (vm.state === VmState.suspended) throw actionRefused("Cannot delete-recreate a suspended VM. Resume it first")
  if (vm.state === VmState.done) throw actionRefused("Cannot delete-recreate a VM already in DONE state")
  if (vm.state === VmState.active) recreate(world, vm, cause)
  else if (vm.state !== VmState.pending && !isCopying(vm)) {
    vm.countsAsRunning = true
    enter(vm, VmState.pending)
    schedule(world, vm)
  }
}

/** Where its images are there by now; else it stays as it is. */
const lookAtCopy = (world: World, vm: Vm): void => {
  const images = vm.template.vectors("DISK").flatMap((disk) => findImage(world, disk) ?? [])
  if (images.some(({ state }) => state === imageInError)) return
  vm.state = VmState.cloning
  endCopying(world, (one) => schedule(world, one))
}
const imageInError = 5

/** By code: failure, success, retry, delete, recreate, delete from the database. */
const recoveries: ReadonlyArray<(world: World, vm: Vm, cause: Cause) => void> = [
  (_, vm) => {
    if (vm.state !== VmState.active && vm.state !== VmState.cloningFailure) throw wrongState(vm, "recover operation")
    fail(vm)
  },
  (world, vm) => {
    if (vm.state !== VmState.active && vm.state !== VmState.cloningFailure) throw wrongState(vm, "recover operation")
    if (vm.state === VmState.active) succeed(world, vm)
    else lookAtCopy(world, vm)
  },
  (world, vm) => {
    if (vm.state !== VmState.active) throw wrongState(vm, "retry")
    again(world, vm)
  },
  (world, vm, cause) => {
    if (vm.state === VmState.active) cleanUp(world, vm, cause)
    else if (vm.state !== VmState.done) finish(world, vm)
  },
  startAnew,
  (world, vm) => {
    if (vm.state !== VmState.done) finish(world, vm)
  }
]

export const vmRecoverMethods: Methods = {
  "one.vm.recover": (call) => {
    const { args, caller, world } = call
    const [id, operation] = [args.int(0), args.int(1)]
    const vm = world.vms.get(id)
    requireRight(world, caller, "ADMIN", targetOf("VM", vm))
    const recovery = recoveries[operation]
    if (recovery === undefined) throw actionRefused("Wrong recovery operation code")
    recovery(world, vm, causeOf(call))
    return int(id)
  }
}
