/** History records: one per stay on a host and per change of capacity, with who caused its end. */
import type { Call } from "../method.js"
import type { HistoryRecord, Host, Vm } from "../world/objects.js"
import type { World } from "../world/world.js"
import { vmDocument } from "./documents.js"
import { VmAction } from "./states.js"

/** Who asked for what ends a record. */
export interface Cause {
  readonly uid: number
  readonly gid: number
  readonly requestId: number
}

export const causeOf = (call: Call): Cause => ({ uid: call.caller.id, gid: call.caller.gid, requestId: call.requestId })

/** As accounting shows it. */
export const asItIs = (vm: Vm): string => vmDocument(vm, [])

const nobody = { uid: -1, gid: -1, requestId: -1 }

const blank = (vm: Vm, seq: number, host: Host, now: number): HistoryRecord => ({
  seq,
  host,
  planId: -1,
  actionId: 0,
  stime: now,
  etime: 0,
  pstime: 0,
  petime: 0,
  rstime: 0,
  retime: 0,
  estime: 0,
  eetime: 0,
  action: VmAction.none,
  ...nobody,
  vm: asItIs(vm)
})

export const currentRecord = (vm: Vm): HistoryRecord | undefined => vm.history.at(-1)

/** Where its quota counts, also while it is off. */
export const clusterOf = (vm: Vm): number | undefined => currentRecord(vm)?.host.cluster

/** Of a boot that went well (7.4 `trigger_deploy_success`); after one that did not, a resume stands there. */
export const clearAction = (vm: Vm): void => note(vm, { action: VmAction.none, ...nobody })

/** A new stay on a host, beginning with its PROLOG. */
export const beginStay = (world: World, vm: Vm, host: Host): void => {
  vm.history.push({ ...blank(vm, vm.history.length, host, world.now), pstime: world.now })
}

/** Writes the current record's VM anew: when the stay begins, when a disk has grown. */
export const rewrite = (vm: Vm): void => {
  const record = currentRecord(vm)
  if (record !== undefined) record.vm = asItIs(vm)
}

/** Notes what happened in the current record, if there is one. With its end it is written for the last time. */
export const note = (
  vm: Vm,
  fields: Partial<Omit<HistoryRecord, "seq" | "host" | "planId" | "actionId" | "vm">>
): void => {
  const record = currentRecord(vm)
  if (record !== undefined) Object.assign(record, fields, fields.etime === undefined ? {} : { vm: asItIs(vm) })
}

/**
 * Ends the current record for `action` and goes on with a new one on the same (or another) host. `asItWas`: the VM before the action, if that has
 * changed it already.
 */
export const turnPage = (
  world: World,
  vm: Vm,
  action: number,
  cause: Cause | undefined,
  { to, asItWas = asItIs(vm) }: { readonly to?: Host; readonly asItWas?: string } = {}
): void => {
  const record = currentRecord(vm)
  if (record === undefined) return
  const { now } = world
  const stillOff = record.retime !== 0
  const next: HistoryRecord = {
    ...blank(vm, record.seq + 1, to ?? record.host, now),
    ...(to === undefined ? {} : { planId: -2, actionId: -1 }),
    rstime: now,
    retime: stillOff ? now : 0,
    // A powered-off VM's new record keeps why it is off (recording 098).
    action: record.action
  }
  Object.assign(record, {
    etime: now,
    retime: stillOff ? record.retime : now,
    action,
    ...(cause ?? nobody),
    vm: asItWas
  })
  vm.history.push(next)
}
