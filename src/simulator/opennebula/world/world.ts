/** The whole state of one front-end: its pools, its clock's reading, and the work that it has put off. */
import { noSuch } from "../wire/refusals.js"
import type {
  AclRule,
  Cluster,
  Datastore,
  Group,
  Host,
  Image,
  Network,
  Quotas,
  Router,
  SecurityGroup,
  User,
  Vdc,
  Vm,
  VmTemplate
} from "./objects.js"
import type { Times } from "./times.js"

/** Objects of one kind by id. Ids are never given twice. */
export class Pool<Item extends { readonly id: number }> implements Iterable<Item> {
  private readonly items = new Map<number, Item>()
  private nextId: number
  /** Whether the items came in the order of their ids, as nearly always. */
  private isInOrder = true
  private newest = Number.NEGATIVE_INFINITY

  /** `noun` as in "Error getting virtual network [7]." */
  constructor(
    readonly noun: string,
    firstId: number
  ) {
    this.nextId = firstId
  }

  /** Makes an item with the next id. The id is only used up when `make` does not throw. */
  add<Made extends Item>(make: (id: number) => Made): Made {
    const made = make(this.nextId)
    this.keep(made)
    this.nextId = Math.max(this.nextId, made.id + 1)
    return made
  }

  /** Puts an item of the initial world in; ids below 100 do not move the counter of pools that begin at 100. */
  put(item: Item): void {
    this.keep(item)
    this.nextId = Math.max(this.nextId, item.id + 1)
  }

  private keep(item: Item): void {
    if (item.id <= this.newest) this.isInOrder = false
    this.newest = Math.max(this.newest, item.id)
    this.items.set(item.id, item)
  }

  /** Throws 0x0400 when there is none. */
  get(id: number): Item {
    const found = this.items.get(id)
    if (found === undefined) throw noSuch(this.noun, id)
    return found
  }

  find(id: number): Item | undefined {
    return this.items.get(id)
  }

  byName(name: string): Item | undefined {
    for (const item of this) if ("name" in item && item.name === name) return item
    return undefined
  }

  remove(id: number): void {
    this.items.delete(id)
  }

  get size(): number {
    return this.items.size
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.items.values()
  }

  newestFirst(): ReadonlyArray<Item> {
    return this.isInOrder ? [...this.items.values()].reverse() : [...this].sort((a, b) => b.id - a.id)
  }

  oldestFirst(): ReadonlyArray<Item> {
    return this.isInOrder ? [...this.items.values()] : [...this].sort((a, b) => a.id - b.id)
  }
}

export const noQuotas = (): Quotas => ({ DATASTORE: [], NETWORK: [], VM: [], IMAGE: [] })

/** What the hypervisor or storage driver does, or the database: each can be made to fail by a test. */
export type DriverAction =
  | "prolog"
  | "deploy"
  | "shutdown"
  | "cancel"
  | "epilog"
  | "live-resize"
  | "live-disk-resize"
  | "disk-resize"
  | "attach-nic"
  | "detach-nic"
  | "save"
  | "restore"
  | "migrate"
  | "network-create"
  | "network-delete"
  | "vdc-delete"

/** Work that a call has put off, in milliseconds. */
export interface Deferred {
  readonly after: number
  readonly run: () => void
}

export class World {
  readonly groups = new Pool<Group>("group", 100)
  readonly users = new Pool<User>("user", 0)
  readonly vdcs = new Pool<Vdc>("VDC", 100)
  readonly acl = new Pool<AclRule>("ACL", 0)
  readonly networks = new Pool<Network>("virtual network", 0)
  readonly securityGroups = new Pool<SecurityGroup>("security group", 100)
  readonly routers = new Pool<Router>("virtual router", 0)
  readonly templates = new Pool<VmTemplate>("virtual machine template", 0)
  readonly images = new Pool<Image>("image", 0)
  readonly hosts = new Pool<Host>("host", 0)
  readonly clusters = new Pool<Cluster>("cluster", 100)
  readonly datastores = new Pool<Datastore>("datastore", 100)
  readonly zones = new Pool<{ readonly id: number; readonly name: string }>("zone", 0)
  readonly vms = new Pool<Vm>("virtual machine", 0)
  /** `DRIVER_MANAGED_GROUPS`, as `oned.conf` comes: who logs in by these is in the groups that a directory says. */
  readonly managingGroups = new Set(["ldap", "saml"])
  readonly defaultQuotas: { readonly group: Quotas; readonly user: Quotas } = { group: noQuotas(), user: noQuotas() }

  /** Milliseconds since 1970; set from the Clock before anything runs. */
  nowMillis = 0
  /** Put off by what runs now; the front-end takes them up as fibers. */
  deferred: Array<Deferred> = []
  /** Which form `one.vmpool.infoset` was asked for last: all its calls share it (`PoolSharedAPI::extended`, OpenNebula 7.4). */
  infosetIsLong = false
  /** Failures that tests have ordered, in order. */
  readonly failures: Array<{ readonly action: DriverAction; readonly of: number | undefined }> = []

  constructor(readonly times: Times) {}

  /** Seconds since 1970. */
  get now(): number {
    return Math.floor(this.nowMillis / 1000)
  }

  /** Carries `run` out after so many milliseconds of the Clock. */
  later(after: number, run: () => void): void {
    this.deferred.push({ after, run })
  }

  /** Whether this action fails for this VM, network or VDC: takes one ordered failure. */
  fails(action: DriverAction, id: number): boolean {
    const at = this.failures.findIndex((failure) => failure.action === action && (failure.of ?? id) === id)
    if (at < 0) return false
    this.failures.splice(at, 1)
    return true
  }
}
