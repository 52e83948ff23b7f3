/** A VM as XML: in full for `vm.info`, with its last record for extended pools, and brief for pools (recordings 056, 212, 213). */
import { cdata, element, wrap, wrapWhole } from "../wire/xml.js"
import type { HistoryRecord, Vm } from "../world/objects.js"
import { lockDocument, ownerDocument, permissionDocument } from "../world/owned.js"
import type { Template, Vector } from "../world/template.js"

export const historyDocument = (vm: Vm, record: HistoryRecord, inner = ""): string =>
  wrap(
    "HISTORY",
    element("OID", vm.id) +
      element("SEQ", record.seq) +
      element("HOSTNAME", record.host.name) +
      element("HID", record.host.id) +
      element("CID", record.host.cluster) +
      element("STIME", record.stime) +
      element("ETIME", record.etime) +
      cdata("VM_MAD", "dummy") +
      cdata("TM_MAD", "dummy") +
      element("DS_ID", 0) +
      element("PLAN_ID", record.planId) +
      element("ACTION_ID", record.actionId) +
      element("PSTIME", record.pstime) +
      element("PETIME", record.petime) +
      element("RSTIME", record.rstime) +
      element("RETIME", record.retime) +
      element("ESTIME", record.estime) +
      element("EETIME", record.eetime) +
      element("ACTION", record.action) +
      element("UID", record.uid) +
      element("GID", record.gid) +
      element("REQUEST_ID", record.requestId) +
      inner
  )

const states = (vm: Vm): string => element("STATE", vm.state) + element("LCM_STATE", vm.lcm)

const times = (vm: Vm): string =>
  element("RESCHED", vm.resched ? 1 : 0) + element("STIME", vm.stime) + element("ETIME", vm.etime)

/** `records`: which history records it lists. */
export const vmDocument = (vm: Vm, records: ReadonlyArray<HistoryRecord> = vm.history): string =>
  wrapWhole(
    "VM",
    ownerDocument(vm) +
      permissionDocument(vm.permissions) +
      element("LAST_POLL", 0) +
      states(vm) +
      element("PREV_STATE", vm.state) +
      element("PREV_LCM_STATE", vm.lcm) +
      times(vm) +
      element("DEPLOY_ID", vm.deployId) +
      lockDocument(vm) +
      "<MONITORING></MONITORING><SCHED_ACTIONS></SCHED_ACTIONS>" +
      wrap("TEMPLATE", vm.template.toXml()) +
      wrap("USER_TEMPLATE", vm.userTemplate.toXml()) +
      (records.length === 0
        ? "<HISTORY_RECORDS/>"
        : wrap("HISTORY_RECORDS", records.map((record) => historyDocument(vm, record)).join(""))) +
      "<BACKUPS><BACKUP_CONFIG/><BACKUP_IDS></BACKUP_IDS></BACKUPS>"
  )

const some = (part: Vector, names: ReadonlyArray<string>): string =>
  names
    .flatMap((name) => {
      const value = part.values.get(name)
      return value === undefined ? [] : [cdata(name, value)]
    })
    .join("")

const diskFields = `DISK_ID DATASTORE DATASTORE_ID IMAGE IMAGE_ID SIZE TYPE CLONE CLONE_TARGET LN_TARGET
  DISK_SNAPSHOT_TOTAL_SIZE`.split(/\s+/)
const nicFields = ["IP", "MAC", "NETWORK", "NETWORK_ID", "NIC_ID", "SECURITY_GROUPS"]
const graphicsFields = ["LISTEN", "PASSWD", "PORT", "TYPE"]
/** Of what users wrote, a brief document shows only this. */
const userFields = ["ERROR", "HYPERVISOR", "INFO", "LABELS", "LOGO", "SCHED_MESSAGE", "SCHED_REQUIREMENTS"]

const briefTemplate = (template: Template): string =>
  ["CPU", "MEMORY", "VCPU"].map((name) => element(name, template.get(name) ?? "")).join("") +
  template
    .vectors("DISK")
    .map((disk) => wrap("DISK", some(disk, diskFields)))
    .join("") +
  template
    .vectors("NIC")
    .map((nic) => wrap("NIC", some(nic, nicFields)))
    .join("") +
  template
    .vectors("GRAPHICS")
    .map((graphics) => wrap("GRAPHICS", some(graphics, graphicsFields)))
    .join("")

const briefUserTemplate = (template: Template): string =>
  template.isEmpty
    ? "<USER_TEMPLATE/>"
    : wrap(
        "USER_TEMPLATE",
        userFields
          .flatMap((name) => {
            const value = template.get(name)
            return value === undefined ? [] : [cdata(name, value)]
          })
          .join("")
      )

const briefHistory = (vm: Vm): string => {
  const record = vm.history.at(-1)
  if (record === undefined) return "<HISTORY_RECORDS/>"
  return wrap(
    "HISTORY_RECORDS",
    wrap(
      "HISTORY",
      element("OID", vm.id) +
        element("SEQ", record.seq) +
        cdata("HOSTNAME", record.host.name) +
        element("HID", record.host.id) +
        element("CID", record.host.cluster) +
        element("DS_ID", 0) +
        cdata("VM_MAD", "dummy") +
        cdata("TM_MAD", "dummy") +
        cdata("ACTION", record.action)
    )
  )
}

export const briefVmDocument = (vm: Vm): string =>
  wrapWhole(
    "VM",
    ownerDocument(vm) +
      element("LAST_POLL", 0) +
      states(vm) +
      times(vm) +
      element("DEPLOY_ID", vm.deployId) +
      lockDocument(vm) +
      wrap("TEMPLATE", briefTemplate(vm.template)) +
      "<MONITORING/>" +
      briefUserTemplate(vm.userTemplate) +
      briefHistory(vm)
  )
