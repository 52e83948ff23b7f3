/** Accounting, showback and monitoring: who used what, as far as the recordings show it. */
import type { Call, Methods } from "../method.js"
import { vmTarget } from "../vms/actions.js"
import { historyDocument } from "../vms/documents.js"
import { int, string } from "../wire/values.js"
import { element, wrap } from "../wire/xml.js"
import { mayDo, requireRight } from "../world/access.js"
import type { Vm } from "../world/objects.js"
import { selectOwned } from "../world/owned.js"

const chosenVms = (call: Call): ReadonlyArray<Vm> =>
  selectOwned(call, call.world.vms, vmTarget, { flag: call.args.int(0), start: -1, end: -1 }).toReversed()

/** Seconds of a record that lie between `from` and `to` (-1: open). */
const overlaps = (stime: number, etime: number, from: number, to: number): boolean =>
  (to === -1 || stime <= to) && (from === -1 || etime === 0 || etime >= from)

const hours = (vm: Vm, now: number): string => {
  const seconds = vm.history.reduce((total, { etime, rstime }) => total + ((etime === 0 ? now : etime) - rstime), 0)
  return (seconds / 3600).toFixed(2)
}

const showback = (call: Call, vm: Vm): string => {
  const date = new Date(call.world.nowMillis)
  return wrap(
    "SHOWBACK",
    element("VMID", vm.id) +
      element("VMNAME", vm.name) +
      element("UID", vm.uid) +
      element("GID", vm.gid) +
      element("UNAME", vm.uname) +
      element("GNAME", vm.gname) +
      element("YEAR", date.getUTCFullYear()) +
      element("MONTH", date.getUTCMonth() + 1) +
      ["CPU_COST", "MEMORY_COST", "DISK_COST", "TOTAL_COST"].map((cost) => element(cost, 0)).join("") +
      element("HOURS", hours(vm, call.world.now)) +
      element("RHOURS", hours(vm, call.world.now))
  )
}

const noData = wrap("MONITORING_DATA", "")

export const accountingMethods: Methods = {
  "one.vmpool.accounting": (call) => {
    const [from, to] = [call.args.int(1), call.args.int(2)]
    const records = chosenVms(call).flatMap((vm) =>
      vm.history
        .filter(({ etime, stime }) => overlaps(stime, etime, from, to))
        .map((record) => historyDocument(vm, record, record.vm))
    )
    return string(wrap("HISTORY_RECORDS", records.join("")))
  },
  "one.vmpool.calculateshowback": ({ args, caller, world }) => {
    for (const position of [0, 1, 2, 3]) args.int(position)
    requireRight(world, caller, "ADMIN", { kind: "VM" })
    // A space, as the real one answers (recording 247).
    return string(" ")
  },
  "one.vmpool.showback": (call) => {
    const [, firstMonth] = [call.args.int(0), call.args.int(1)]
    for (const position of [2, 3, 4]) call.args.int(position)
    const vms = firstMonth > 12 ? [] : chosenVms(call).filter((vm) => vm.history.length > 0)
    return string(wrap("SHOWBACK_RECORDS", vms.map((vm) => showback(call, vm)).join("")))
  },
  "one.vmpool.monitoring": (call) => {
    call.args.int(1, -1)
    chosenVms(call)
    return string(noData)
  },
  "one.vm.monitoring": ({ args, caller, world }) => {
    const vm = world.vms.get(args.int(0))
    requireRight(world, caller, "USE", vmTarget(vm))
    return string(noData)
  },
  "one.vm.exists": ({ args, caller, world }) => {
    const vm = world.vms.find(args.int(0))
    return int(vm !== undefined && mayDo(world, caller, "USE", vmTarget(vm)) ? 1 : 0)
  }
}
