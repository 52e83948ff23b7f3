/**
 * An accounting record: one stay of a VM on a host, with the sizes that it had. A new one begins with every resize, attached device,
 * migration and start; the VM in it is as it was when the record ended, or began if it has not ended (recordings 245, 246).
 */
import { Schema } from "effect"
import { all, fromElement, Int, LooseDecimal, LooseInt, OptionalText, poolOf, text } from "./element.js"

export const HistoryRecord = fromElement(
  Schema.Struct({
    vmId: Int,
    sequence: Int,
    /** Seconds since 1970. */
    startedAt: Int,
    /** Seconds since 1970; 0: it has not ended. */
    endedAt: Int,
    /** The VM's group. Of a record that has not ended, the one at its beginning: a VM may have been given to another since. */
    gid: Int,
    /** Cores that the VM is promised; 0 if it cannot be read. */
    cpu: LooseDecimal,
    /** Cores that the guest sees. */
    vcpu: LooseInt,
    /** MB; 0 if it cannot be read. */
    memory: LooseInt,
    /** MB of each disk; 0 if it cannot be read. */
    disks: Schema.Array(LooseInt),
    /** When the VM itself was made, which nobody changes: seconds since 1970. */
    vmStartedAt: Int,
    /** The owner tag, if it had one then. */
    ownerResource: OptionalText
  }),
  (element) => ({
    vmId: text(element, "OID"),
    sequence: text(element, "SEQ"),
    startedAt: text(element, "STIME"),
    endedAt: text(element, "ETIME"),
    gid: text(element, "VM", "GID"),
    cpu: text(element, "VM", "TEMPLATE", "CPU"),
    vcpu: text(element, "VM", "TEMPLATE", "VCPU") || "1",
    memory: text(element, "VM", "TEMPLATE", "MEMORY"),
    disks: all(element, ["VM", "TEMPLATE"], "DISK").map((disk) => text(disk, "SIZE")),
    vmStartedAt: text(element, "VM", "STIME") || "0",
    ownerResource: text(element, "VM", "USER_TEMPLATE", "WALDUR_RESOURCE_UUID")
  })
)
export type HistoryRecord = typeof HistoryRecord.Type
export const historyPool = poolOf("HISTORY", HistoryRecord, {
  OID: true,
  SEQ: true,
  STIME: true,
  ETIME: true,
  VM: {
    GID: true,
    STIME: true,
    TEMPLATE: { CPU: true, VCPU: true, MEMORY: true, DISK: { SIZE: true } },
    USER_TEMPLATE: { WALDUR_RESOURCE_UUID: true }
  }
})
