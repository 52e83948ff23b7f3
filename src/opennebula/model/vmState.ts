/**
 * The states of a VM, by name. One table: OpenNebula 7.4 `VmState` (STATE), and while that is ACTIVE (3) `LcmState`
 * (LCM_STATE).
 *
 * The name is that of what the front-end itself shows: the LCM state of an active VM, else the VM state. A number that
 * this table does not know (a later release) becomes `{ _tag: "Unlisted", state, lcmState }` and never a failure.
 */

const vmStates = {
  0: "Init",
  1: "Pending",
  2: "Hold",
  4: "Stopped",
  5: "Suspended",
  6: "Done",
  8: "Poweroff",
  9: "Undeployed",
  10: "Cloning",
  11: "CloningFailure"
} as const

const lcmStates = {
  0: "LcmInit",
  1: "Prolog",
  2: "Boot",
  3: "Running",
  4: "Migrate",
  5: "SaveStop",
  6: "SaveSuspend",
  7: "SaveMigrate",
  8: "PrologMigrate",
  9: "PrologResume",
  10: "EpilogStop",
  11: "Epilog",
  12: "Shutdown",
  15: "CleanupResubmit",
  16: "Unknown",
  17: "Hotplug",
  18: "ShutdownPoweroff",
  19: "BootUnknown",
  20: "BootPoweroff",
  21: "BootSuspended",
  22: "BootStopped",
  23: "CleanupDelete",
  24: "HotplugSnapshot",
  25: "HotplugNic",
  26: "HotplugSaveas",
  27: "HotplugSaveasPoweroff",
  28: "HotplugSaveasSuspended",
  29: "ShutdownUndeploy",
  30: "EpilogUndeploy",
  31: "PrologUndeploy",
  32: "BootUndeploy",
  33: "HotplugPrologPoweroff",
  34: "HotplugEpilogPoweroff",
  35: "BootMigrate",
  36: "BootFailure",
  37: "BootMigrateFailure",
  38: "PrologMigrateFailure",
  39: "PrologFailure",
  40: "EpilogFailure",
  41: "EpilogStopFailure",
  42: "EpilogUndeployFailure",
  43: "PrologMigratePoweroff",
  44: "PrologMigratePoweroffFailure",
  45: "PrologMigrateSuspend",
  46: "PrologMigrateSuspendFailure",
  47: "BootUndeployFailure",
  48: "BootStoppedFailure",
  49: "PrologResumeFailure",
  50: "PrologUndeployFailure",
  51: "DiskSnapshotPoweroff",
  52: "DiskSnapshotRevertPoweroff",
  53: "DiskSnapshotDeletePoweroff",
  54: "DiskSnapshotSuspended",
  55: "DiskSnapshotRevertSuspended",
  56: "DiskSnapshotDeleteSuspended",
  57: "DiskSnapshot",
  58: "DiskSnapshotRevert",
  59: "DiskSnapshotDelete",
  60: "PrologMigrateUnknown",
  61: "PrologMigrateUnknownFailure",
  62: "DiskResize",
  63: "DiskResizePoweroff",
  64: "DiskResizeUndeployed",
  65: "HotplugNicPoweroff",
  66: "HotplugResize",
  67: "HotplugSaveasUndeployed",
  68: "HotplugSaveasStopped",
  69: "Backup",
  70: "BackupPoweroff",
  71: "Restore"
} as const

const active = 3

type NameOf<Table> = Table[keyof Table]
export type VmStateName = NameOf<typeof vmStates> | NameOf<typeof lcmStates>

/** A state that the table does not know. */
export interface UnlistedVmState {
  readonly _tag: "Unlisted"
  readonly state: number
  readonly lcmState: number
}

/** Compare it with a name: `vm.state === "Running"`. */
export type VmState = VmStateName | UnlistedVmState

const vmNames: ReadonlyMap<number, VmStateName> = new Map(
  Object.entries(vmStates).map(([key, name]) => [Number(key), name])
)
const lcmNames: ReadonlyMap<number, VmStateName> = new Map(
  Object.entries(lcmStates).map(([key, name]) => [Number(key), name])
)

export const vmState = (state: number, lcmState: number): VmState =>
  (state === active ? lcmNames.get(lcmState) : vmNames.get(state)) ?? { _tag: "Unlisted", state, lcmState }

/** For logs and messages to operators. */
export const vmStateText = (state: VmState): string =>
  typeof state === "string" ? state : `Unlisted(${state.state}/${state.lcmState})`

/** States in which a VM stays until somebody mends or removes it: the driver failed (`*Failure`). */
export const isVmFailure = (state: VmState): boolean => typeof state === "string" && state.endsWith("Failure")
