/**
 * A virtual machine. Sizes are in MB, CPU in cores as a decimal, times in seconds since 1970.
 *
 * Which VMs are a virtual router's, only `VirtualRouter.vms` says: the VM itself has it in CONTEXT alone, where a
 * tenant may write too.
 */
import { Option, Schema } from "effect"
import type { Reads, XmlElement } from "../wire/answer.js"
import {
  all,
  find,
  fromElement,
  Int,
  LooseDecimal,
  LooseInt,
  OptionalInt,
  OptionalText,
  poolOf,
  TemplateSchema,
  template,
  text
} from "./element.js"
import { locked, ownedFields, ownedReads, Permissions, permissions } from "./permissions.js"
import { type VmState, vmState } from "./vmState.js"

const Disk = Schema.Struct({
  id: Int,
  /** MB; 0 where OpenNebula gives none. */
  size: LooseInt,
  imageId: OptionalInt,
  datastoreId: OptionalInt,
  /** FILE, BLOCK, RBD, CDROM, or of a volatile disk fs, swap. */
  type: Schema.String,
  /**
   * Where it is written, and so in which quota it counts: SYSTEM (the system datastore, SYSTEM_DISK_SIZE), SELF (beside its image, its datastore's SIZE),
   * NONE (the image itself, whose owner it counts for). Empty where OpenNebula says nothing, as of a volatile one, which is SYSTEM. (OpenNebula 7.4
   * `VirtualMachineDisk::get_tm_target`, `resize_quotas`.)
   */
  target: Schema.String
})
const disk = (element: XmlElement) => ({
  id: text(element, "DISK_ID"),
  size: text(element, "SIZE") || "0",
  imageId: text(element, "IMAGE_ID"),
  datastoreId: text(element, "DATASTORE_ID"),
  type: text(element, "TYPE"),
  target: (text(element, "CLONE") === "NO" ? text(element, "LN_TARGET") : text(element, "CLONE_TARGET")) ?? ""
})

const Nic = Schema.Struct({
  id: Int,
  networkId: OptionalInt,
  network: Schema.String,
  ip: OptionalText,
  mac: OptionalText,
  /** The virtual router's address in this network, of a router's VM. */
  routerIp: OptionalText
})
const nic = (element: XmlElement) => ({
  id: text(element, "NIC_ID"),
  networkId: text(element, "NETWORK_ID"),
  network: text(element, "NETWORK"),
  ip: text(element, "IP"),
  mac: text(element, "MAC"),
  routerIp: text(element, "VROUTER_IP")
})

const History = Schema.Struct({
  sequence: Int,
  hostId: Int,
  hostname: Schema.String,
  clusterId: OptionalInt,
  datastoreId: OptionalInt,
  /** What ended the record or, of the last one, what is or was to be done, as a number of `VMActions` (OpenNebula 7.4). */
  action: OptionalInt
})
const history = (element: XmlElement) => ({
  sequence: text(element, "SEQ"),
  hostId: text(element, "HID"),
  hostname: text(element, "HOSTNAME"),
  clusterId: text(element, "CID"),
  datastoreId: text(element, "DS_ID"),
  action: text(element, "ACTION")
})

const StateNumbers = Schema.Struct({ state: Int, lcmState: Int })
const NamedState = Schema.transform(
  StateNumbers,
  Schema.declare((input): input is VmState => input !== undefined),
  {
    strict: true,
    decode: ({ state, lcmState }) => vmState(state, lcmState),
    encode: () => ({ state: -1, lcmState: -1 })
  }
)

const shortFields = {
  ...ownedFields,
  /** By name, "Running" or "Poweroff", as `vmState.ts` lists them. */
  state: NamedState,
  /** Real cores that the VM is promised: 0.5, 1, 2. */
  cpu: LooseDecimal,
  /** Cores that the guest sees; 1 where the template says nothing. */
  vcpu: LooseInt,
  /** MB */
  memory: LooseInt,
  disks: Schema.Array(Disk),
  nics: Schema.Array(Nic),
  startedAt: Int,
  endedAt: Int,
  history: Schema.Array(History)
}
/** What `VmShort` has: of a machine's some 170 elements about 50. */
const shortReads = {
  ...ownedReads,
  STATE: true,
  LCM_STATE: true,
  STIME: true,
  ETIME: true,
  TEMPLATE: {
    CPU: true,
    VCPU: true,
    MEMORY: true,
    DISK: {
      DISK_ID: true,
      SIZE: true,
      IMAGE_ID: true,
      DATASTORE_ID: true,
      TYPE: true,
      CLONE: true,
      CLONE_TARGET: true,
      LN_TARGET: true
    },
    NIC: { NIC_ID: true, NETWORK_ID: true, NETWORK: true, IP: true, MAC: true, VROUTER_IP: true }
  },
  HISTORY_RECORDS: { HISTORY: { SEQ: true, HID: true, HOSTNAME: true, CID: true, DS_ID: true, ACTION: true } }
} satisfies Reads

const fields = {
  ...shortFields,
  permissions: Permissions,
  /** Of one whose template says how its cores are arranged (TOPOLOGY): its vCPUs are a multiple of this (OpenNebula 7.4 `VirtualMachine::resize`). Else 1. */
  vcpuStep: Int,
  /** Nothing may be done to it, by nobody, until it is unlocked (recordings 144 to 148). */
  locked: Schema.Boolean,
  /** USER_TEMPLATE: free attributes, and the owner tag. ERROR is here too, when a driver failed. */
  userTemplate: TemplateSchema
}

const vcpuStep = (element: XmlElement): string => {
  const topology = find(element, "TEMPLATE", "TOPOLOGY")
  const [sockets, cores, threads] = ["SOCKETS", "CORES", "THREADS"].map((name) =>
    topology === undefined ? 0 : Number.parseInt(text(topology, name), 10) || 0
  )
  return String(cores === 0 ? 1 : (sockets ?? 0) * (threads ?? 0) || 1)
}

const stateOf = (element: XmlElement) => ({ state: text(element, "STATE"), lcmState: text(element, "LCM_STATE") })

/**
 * Where all of it stands; a schema with fewer fields takes what it has. One object, and none spread into another: that took ten times as long as all
 * the rest of it (V8, Node 20), and a pool has ten thousand.
 */
const machine = (element: XmlElement) => ({
  id: text(element, "ID"),
  name: text(element, "NAME"),
  uid: text(element, "UID"),
  gid: text(element, "GID"),
  state: stateOf(element),
  cpu: text(element, "TEMPLATE", "CPU") || "0",
  vcpu: text(element, "TEMPLATE", "VCPU") || "1",
  memory: text(element, "TEMPLATE", "MEMORY") || "0",
  disks: all(element, "TEMPLATE", "DISK").map(disk),
  nics: all(element, "TEMPLATE", "NIC").map(nic),
  startedAt: text(element, "STIME") || "0",
  endedAt: text(element, "ETIME") || "0",
  history: all(element, "HISTORY_RECORDS", "HISTORY").map(history),
  permissions: permissions(element),
  vcpuStep: vcpuStep(element),
  locked: locked(element),
  userTemplate: template(element, "USER_TEMPLATE")
})

/** As `one.vmpool.info` gives it: without permissions, context and the tags of USER_TEMPLATE (recording 213). */
export const VmShort = fromElement(Schema.Struct(shortFields), machine)
export type VmShort = typeof VmShort.Type
export const vmShortPool = poolOf("VM", VmShort, shortReads)

/** As `one.vmpool.infoextended` and an extended `one.vmpool.infoset` give it (recordings 212 and 227). */
export const Vm = fromElement(Schema.Struct(fields), machine)
export type Vm = typeof Vm.Type
/** Of a machine without its tags nobody could say whose it is; only the long form has PERMISSIONS (recordings 212 and 213). */
export const inShortForm = "a machine in the short form, where the long one was asked for"
export const vmPool = poolOf(
  "VM",
  Vm,
  {
    ...shortReads,
    TEMPLATE: { ...shortReads.TEMPLATE, TOPOLOGY: true },
    PERMISSIONS: true,
    LOCK: true,
    USER_TEMPLATE: true
  },
  (element) => (find(element, "PERMISSIONS") === undefined ? inShortForm : undefined)
)

/** Has a resume been begun, and not gone well, that is newer than this record? (OpenNebula 7.4 `trigger_restart`, `trigger_deploy_failure`) */
export const hasFailedToResume = ({ history }: Pick<VmShort, "history">, since: number): boolean => {
  const last = history.at(-1)
  return last !== undefined && last.sequence > since && Option.contains(last.action, resumeAction)
}
/** RESUME of `VMActions` (OpenNebula 7.4). */
const resumeAction = 11

/** POWEROFF and POWEROFF_HARD of `VMActions` (OpenNebula 7.4). */
const switchOffs: ReadonlySet<string> = new Set(["19", "20"])

const switchedOffBy = (element: XmlElement): string => {
  const last = all(element, "HISTORY_RECORDS", "HISTORY").at(-1)
  return last !== undefined && switchOffs.has(text(last, "ACTION")) ? text(last, "UID") : ""
}

/** Which VM, and how it is: all that a long wait needs to know. */
export const SeenVm = fromElement(Schema.Struct({ id: Int, state: NamedState }), (element) => ({
  id: text(element, "ID"),
  state: stateOf(element)
}))
export type SeenVm = typeof SeenVm.Type
export const seenVmPool = poolOf("VM", SeenVm, { ID: true, STATE: true, LCM_STATE: true })

/** As `one.vm.info` gives it (recording 081): what a pool gives as well, and its TEMPLATE as it stands. */
export const WholeVm = fromElement(
  Schema.Struct({
    ...fields,
    /** TEMPLATE: capacity, disks, interfaces, context. */
    template: TemplateSchema,
    /**
     * The user who had it switched off, if that is the last that was done to it (recording 094). None as well if its guest did that, or if it was resized
     * since: that begins a record of nobody's (recording 098).
     */
    switchedOffBy: OptionalInt
  }),
  (element) => ({ ...machine(element), template: template(element), switchedOffBy: switchedOffBy(element) })
)
export type WholeVm = typeof WholeVm.Type
