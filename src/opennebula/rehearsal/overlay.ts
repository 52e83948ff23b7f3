/** What a rehearsal has changed: laid over what the front-end answers, and gone with the rehearsal. */
import { Option } from "effect"
import type { Quota } from "../calls/quota.js"
import type { Capacity, VmAction } from "../calls/vm.js"
import type { Group } from "../model/group.js"
import type { Quotas } from "../model/quotas.js"
import type { User } from "../model/user.js"
import type { Vm, WholeVm } from "../model/vm.js"
import type { VmState, VmStateName } from "../model/vmState.js"
import { type Template, valueOf, vectorsOf } from "../template/template.js"

/** Ids of what is not made: beyond any that a front-end gives. */
const firstId = 2_000_000_000

/** Where an action leads when all goes well; what is not here leaves the state as it is. */
const after: Partial<Record<VmAction, VmState>> = {
  terminate: "Done",
  "terminate-hard": "Done",
  poweroff: "Poweroff",
  "poweroff-hard": "Poweroff",
  resume: "Running",
  release: "Running",
  reboot: "Running",
  "reboot-hard": "Running",
  suspend: "Suspended",
  stop: "Stopped",
  undeploy: "Undeployed",
  "undeploy-hard": "Undeployed",
  hold: "Hold"
}

/** Where a VM that is on its way will be: the same, all goes well and at once. */
const bound: Partial<Record<VmStateName, VmState>> = {
  Init: "Running",
  Pending: "Running",
  Prolog: "Running",
  Boot: "Running",
  BootPoweroff: "Running",
  BootSuspended: "Running",
  BootStopped: "Running",
  BootUndeploy: "Running",
  ShutdownPoweroff: "Poweroff",
  DiskResizePoweroff: "Poweroff",
  DiskResize: "Running",
  HotplugResize: "Running",
  Shutdown: "Done",
  Epilog: "Done",
  CleanupDelete: "Done"
}

const noRights = { use: false, manage: false, admin: false }

/** What an action would make of a VM, however much of it was read. */
type Change = <A extends Vm>(vm: A) => A

export class Overlay {
  private readonly labels = new Map<number, string>()
  private readonly vms = new Map<number, ReadonlyArray<Change>>()
  private readonly newVms = new Map<number, WholeVm>()
  private readonly routerVms = new Map<number, ReadonlyArray<number>>()
  private readonly users = new Map<number, ReadonlyArray<(user: User) => User>>()
  private readonly admins = new Map<number, ReadonlyMap<number, boolean>>()
  private readonly quotas = new Map<number, ReadonlyArray<Quota>>()
  private readonly templates = new Map<number, Template>()
  private readonly gone = new Set<string>()

  /** The id of a thing that would be made. */
  make(kind: string, template: Template = []): number {
    const id = firstId + this.labels.size
    const same = [...this.labels.values()].filter((label) => label.startsWith(`<${kind}`)).length
    this.labels.set(id, same === 0 ? `<${kind}>` : `<${kind} ${same + 1}>`)
    this.templates.set(id, template)
    return id
  }

  isNew(id: number): boolean {
    return this.labels.has(id)
  }

  /** "<group>" for what would be made, "100" for what is there. */
  label(id: number): string {
    return this.labels.get(id) ?? String(id)
  }

  templateOf(id: number): Template {
    return this.templates.get(id) ?? []
  }

  remove(kind: string, id: number): void {
    this.gone.add(`${kind} ${id}`)
  }

  isGone(kind: string, id: number): boolean {
    return this.gone.has(`${kind} ${id}`)
  }

  makeVm(name: string, template: Template, state: VmState): number {
    const id = this.make("VM", template)
    const number = (key: string) => Number(Option.getOrElse(valueOf(template, key), () => "0"))
    this.newVms.set(id, {
      id,
      name,
      uid: 0,
      gid: 0,
      state,
      cpu: number("CPU"),
      vcpu: number("VCPU") || 1,
      memory: number("MEMORY"),
      disks: vectorsOf(template, "DISK").map(({ values }, at) => ({
        id: at,
        size: Number(values.SIZE ?? "0"),
        imageId: Option.none(),
        datastoreId: Option.none(),
        type: "FILE",
        target: "SYSTEM"
      })),
      nics: [],
      startedAt: 0,
      endedAt: 0,
      history: [],
      switchedOffBy: Option.none(),
      vcpuStep: 1,
      locked: false,
      permissions: { owner: noRights, group: noRights, other: noRights },
      template,
      userTemplate: template
    })
    return id
  }

  routerGets(routerId: number, vmId: number): void {
    this.routerVms.set(routerId, [...this.vmsOf(routerId), vmId])
  }

  vmsOf(routerId: number): ReadonlyArray<number> {
    return this.routerVms.get(routerId) ?? []
  }

  newVm(id: number): WholeVm | undefined {
    const vm = this.newVms.get(id)
    return vm === undefined ? undefined : this.vm(vm)
  }

  /** A VM as it would be by now. */
  vm<A extends Vm>(found: A): A {
    const state = (typeof found.state === "string" ? bound[found.state] : undefined) ?? found.state
    return (this.vms.get(found.id) ?? []).reduce((vm, change) => change(vm), { ...found, state })
  }

  private change(id: number, change: Change): void {
    this.vms.set(id, [...(this.vms.get(id) ?? []), change])
  }

  act(id: number, action: VmAction): void {
    const state = after[action]
    if (state !== undefined) this.change(id, (vm) => ({ ...vm, state }))
  }

  resize(id: number, { cpu, vcpu, memory }: Capacity): void {
    this.change(id, (vm) => ({
      ...vm,
      cpu: cpu ?? vm.cpu,
      vcpu: vcpu ?? vm.vcpu,
      memory: memory ?? vm.memory
    }))
  }

  growDisk(id: number, diskId: number, size: number): void {
    this.change(id, (vm) => ({
      ...vm,
      disks: vm.disks.map((disk) => (disk.id === diskId ? { ...disk, size } : disk))
    }))
  }

  setQuota(groupId: number, quota: Quota): void {
    this.quotas.set(groupId, [...(this.quotas.get(groupId) ?? []), quota])
  }

  group(found: Group): Group {
    const changed = this.admins.get(found.id) ?? new Map<number, boolean>()
    return {
      ...found,
      admins: [
        ...found.admins.filter((id) => !changed.has(id)),
        ...[...changed].flatMap(([id, isAdmin]) => (isAdmin ? [id] : []))
      ],
      quotas: (this.quotas.get(found.id) ?? []).reduce(withQuota, found.quotas)
    }
  }

  setAdmin(groupId: number, userId: number, isAdmin: boolean): void {
    this.admins.set(groupId, new Map([...(this.admins.get(groupId) ?? []), [userId, isAdmin]]))
  }

  user(found: User): User {
    return (this.users.get(found.id) ?? []).reduce((user, change) => change(user), found)
  }

  changeUser(id: number, change: (user: User) => Partial<User>): void {
    this.users.set(id, [...(this.users.get(id) ?? []), (user) => ({ ...user, ...change(user) })])
  }
}

const unused = { used: 0 }

/** The quotas of a group after `one.group.quota`: metrics of `vm` that are left out go back to the default. */
const withQuota = (old: Quotas, { vm, datastores, networks }: Quota): Quotas => {
  const row = old.vm.find(({ clusterIds }) => clusterIds === "")
  const limited = (metric: Exclude<keyof NonNullable<Quota["vm"]>, "others">) => ({
    ...(row?.[metric] ?? unused),
    limit: vm?.[metric] ?? ("default" as const)
  })
  const others = <A extends { readonly id: number }>(rows: ReadonlyArray<A>, named: ReadonlyArray<{ id: number }>) =>
    rows.filter(({ id }) => named.every((one) => one.id !== id))
  return {
    ...old,
    vm:
      vm === undefined
        ? old.vm
        : [
            ...old.vm.filter(({ clusterIds }) => clusterIds !== ""),
            {
              clusterIds: "",
              cpu: limited("cpu"),
              memory: limited("memory"),
              vms: limited("vms"),
              systemDiskSize: limited("systemDiskSize"),
              runningCpu: limited("runningCpu"),
              runningMemory: limited("runningMemory"),
              runningVms: limited("runningVms"),
              others: vm.others ?? []
            }
          ],
    datastores: [
      ...others(old.datastores, datastores ?? []),
      ...(datastores ?? []).map(({ id, size, images }) => ({
        id,
        size: { ...unused, limit: size ?? ("default" as const) },
        images: { ...unused, limit: images ?? ("default" as const) }
      }))
    ],
    networks: [
      ...others(old.networks, networks ?? []),
      ...(networks ?? []).map(({ id, leases }) => ({ id, leases: { ...unused, limit: leases } }))
    ]
  }
}
