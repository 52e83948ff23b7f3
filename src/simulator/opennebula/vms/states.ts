/** VM states and their names, as error sentences use them (OpenNebula 7.4 `VirtualMachine.h`). */
export const VmState = {
  init: 0,
  pending: 1,
  hold: 2,
  active: 3,
  stopped: 4,
  suspended: 5,
  done: 6,
  poweroff: 8,
  undeployed: 9,
  cloning: 10,
  cloningFailure: 11
} as const

/** LCM states: what an ACTIVE VM is at. */
export const Lcm = {
  init: 0,
  prolog: 1,
  boot: 2,
  running: 3,
  migrate: 4,
  saveStop: 5,
  saveSuspend: 6,
  prologMigrate: 8,
  prologResume: 9,
  epilogStop: 10,
  epilog: 11,
  shutdown: 12,
  cleanupResubmit: 15,
  unknown: 16,
  hotplug: 17,
  shutdownPoweroff: 18,
  bootUnknown: 19,
  bootPoweroff: 20,
  bootSuspended: 21,
  bootStopped: 22,
  cleanupDelete: 23,
  hotplugSnapshot: 24,
  hotplugNic: 25,
  shutdownUndeploy: 29,
  epilogUndeploy: 30,
  prologUndeploy: 31,
  bootUndeploy: 32,
  hotplugPrologPoweroff: 33,
  bootMigrate: 35,
  bootFailure: 36,
  bootMigrateFailure: 37,
  prologMigrateFailure: 38,
  prologFailure: 39,
  epilogFailure: 40,
  epilogStopFailure: 41,
  epilogUndeployFailure: 42,
  prologMigratePoweroff: 43,
  prologMigratePoweroffFailure: 44,
  prologMigrateSuspend: 45,
  prologMigrateSuspendFailure: 46,
  bootUndeployFailure: 47,
  bootStoppedFailure: 48,
  prologResumeFailure: 49,
  prologUndeployFailure: 50,
  prologMigrateUnknown: 60,
  prologMigrateUnknownFailure: 61,
  diskResize: 62,
  diskResizePoweroff: 63,
  diskResizeUndeployed: 64,
  hotplugNicPoweroff: 65,
  hotplugResize: 66
} as const

const upper = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
const names = (table: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(table).map(([name, code]) => [code, upper(name)]))

const stateNames = names(VmState)
const lcmNames = names(Lcm)

export interface StatePair {
  readonly state: number
  readonly lcm: number
}

/** "RUNNING", "POWEROFF", "SHUTDOWN_POWEROFF". */
export const stateName = ({ lcm, state }: StatePair): string =>
  (state === VmState.active ? lcmNames.get(lcm) : stateNames.get(state)) ?? `${state}/${lcm}`

/** Action codes of history records (OpenNebula 7.4 `VMActions.h`). */
export const VmAction = {
  none: 0,
  migrate: 1,
  liveMigrate: 2,
  undeploy: 5,
  undeployHard: 6,
  stop: 9,
  suspend: 10,
  resume: 11,
  delete: 13,
  deleteRecreate: 14,
  poweroff: 19,
  poweroffHard: 20,
  diskAttach: 21,
  diskDetach: 22,
  nicAttach: 23,
  nicDetach: 24,
  terminate: 27,
  terminateHard: 28,
  diskResize: 29,
  resize: 35
} as const
