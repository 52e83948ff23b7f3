/** The objects of a front-end's world, as plain data that the noun files change. */
import type { Template } from "./template.js"

/** OWNER_U, OWNER_M, OWNER_A, GROUP_U, ... OTHER_A, each 0 or 1. */
export type Permissions = ReadonlyArray<number>

export interface Lock {
  /** 1 use, 2 manage, 3 admin, 4 all. */
  readonly level: number
  readonly owner: number
  /** Seconds since 1970. */
  readonly time: number
  readonly requestId: number
}

export interface Owned {
  readonly id: number
  name: string
  uid: number
  gid: number
  /** Names are written down at chown time and outlive their user and group (recordings 454, 459). */
  uname: string
  gname: string
  permissions: Permissions
  lock: Lock | undefined
}

/** Limits as they were set: text per metric. A row without `key` is the one for all. */
export interface QuotaRow {
  /** DATASTORE, NETWORK, IMAGE: the object's id. VM: the cluster ids, or "" for the row that counts everything. */
  readonly key: string
  readonly limits: Map<string, number>
  /** Made by usage, not by a limit: goes when the usage goes. */
  readonly fromUsage: boolean
}

export type QuotaSection = "DATASTORE" | "NETWORK" | "VM" | "IMAGE"
export type Quotas = Record<QuotaSection, Array<QuotaRow>>

export interface Group {
  readonly id: number
  name: string
  readonly template: Template
  readonly admins: Set<number>
  readonly quotas: Quotas
}

export interface LoginToken {
  readonly token: string
  /** Seconds since 1970; -1 never. */
  readonly expires: number
  readonly egid: number
}

export interface User {
  readonly id: number
  name: string
  gid: number
  readonly groups: Set<number>
  /** SHA-256 of the password, as OpenNebula keeps and shows it. */
  passwordHash: string
  authDriver: string
  enabled: boolean
  tokens: ReadonlyArray<LoginToken>
  readonly template: Template
  readonly quotas: Quotas
}

export interface VdcResources {
  readonly CLUSTER: Set<number>
  readonly HOST: Set<number>
  readonly DATASTORE: Set<number>
  readonly NET: Set<number>
}

export interface Vdc {
  readonly id: number
  name: string
  readonly groups: Set<number>
  /** -10 stands for all of the zone. */
  readonly resources: VdcResources
  readonly template: Template
}

/** One rule, in OpenNebula's bits. */
export interface AclRule {
  readonly id: number
  readonly user: bigint
  readonly resource: bigint
  readonly rights: bigint
  readonly zone: bigint
}

export interface Lease {
  readonly index: number
  readonly holder: { readonly kind: "VM" | "VROUTER" | "NET" | "HOLD"; readonly id: number }
}

export interface AddressRange {
  readonly id: number
  readonly type: string
  /** IPv4 as a number; undefined for ETHER and IP6 ranges. */
  readonly firstIp: number | undefined
  readonly firstMac: string
  readonly size: number
  nextIndex: number
  readonly leases: Map<number, Lease>
}

export interface Network extends Owned {
  readonly clusters: Set<number>
  /** 1 READY, 2 LOCK_CREATE, 3 LOCK_DELETE, 5 ERROR, 6 UPDATE_FAILURE (7.4 `VirtualNetwork.h`). */
  state: number
  readonly template: Template
  readonly ranges: Array<AddressRange>
  readonly vlanIdAutomatic: boolean
  readonly vms: Set<number>
  /** Of a reservation: the network whose addresses it has. */
  readonly parent?: number
}

export interface SecurityGroup extends Owned {
  readonly template: Template
}

export interface Router extends Owned {
  readonly template: Template
}

export interface VmTemplate extends Owned {
  readonly template: Template
  readonly registered: number
}

export interface Image extends Owned {
  readonly template: Template
  readonly registered: number
  /** MB */
  readonly size: number
  /** 0 OS, 1 CDROM, 2 DATABLOCK. */
  readonly type: number
  readonly datastore: number
  /** READY 1, USED 2, LOCKED 4. */
  state: number
  persistent: boolean
}

export interface Host {
  readonly id: number
  name: string
  readonly cluster: number
  /** CPU in percent of one core, memory in KB. */
  readonly maxCpu: number
  readonly maxMemory: number
  /** 3 in error; or as `one.host.status` left it: 2 enabled, 4 disabled, 8 offline (7.4 `Host.h`). */
  state: number
}

export interface Cluster {
  readonly id: number
  name: string
  readonly template: Template
}

export interface Datastore extends Owned {
  readonly type: number
  /** 0 READY, 1 DISABLED: only a system datastore is ever disabled (7.4 `Datastore.h`). */
  state: number
  readonly cluster: number
  readonly template: Template
  /** MB */
  readonly total: number
  /** Of a system datastore: MB that its disks may have. Absent: any, as the recorded one took a disk of 999,999 MB (recording 176). */
  room?: number
}

export interface HistoryRecord {
  readonly seq: number
  readonly host: Host
  readonly planId: number
  readonly actionId: number
  stime: number
  etime: number
  pstime: number
  petime: number
  rstime: number
  retime: number
  estime: number
  eetime: number
  action: number
  uid: number
  gid: number
  requestId: number
  /** The VM as accounting shows it: as it was when the record began or, once it has ended, when it ended (recording 245). */
  vm: string
}

export interface Vm extends Owned {
  state: number
  lcm: number
  stime: number
  etime: number
  deployId: string
  /** What the front-end knows (CPU, MEMORY, DISK, NIC, CONTEXT). */
  readonly template: Template
  /** What users wrote beside it. */
  readonly userTemplate: Template
  readonly history: Array<HistoryRecord>
  /** Counts in RUNNING_* quotas: not when powered off, suspended, stopped, undeployed. */
  countsAsRunning: boolean
  /** How often it counts there beside: a resume counts what it counts already, and nothing takes that back. */
  overcounted: number
  /** Raised by every accepted action, so that a transition that was overtaken does nothing. */
  turn: number
  resched: boolean
}
