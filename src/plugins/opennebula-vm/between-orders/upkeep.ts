/** Between orders: machines that are ours, that nobody owns, that the Python agent made; and what can be put right of them. */
import { Effect, Option } from "effect"
import { ownerOf, ownerTags, projectHint, type Vm, vmStateText } from "../../../opennebula/index.js"
import { resourceName } from "../../../opennebula/naming.js"
import {
  ensureDone,
  type Importable,
  type KnownResource,
  OrderRefused,
  type OwnedObject,
  type Resolution,
  type Resource,
  type SiteError,
  type Upkeep
} from "../../../plugin/index.js"
import { projectIn } from "../../groups.js"
import { released } from "../../locks.js"
import { isCalledAs } from "../../owner.js"
import { addressOf, findVm, isAsMade, isTaggedAs, removeVm, vmIdOf } from "../machine.js"
import type { VmOffering } from "../offering.js"
import { reportedLimits, sizesOf } from "../ordered/sizes.js"
import { sameUuid } from "../parent.js"
import { setStanding } from "./standing.js"

type Sought = Pick<Resource, "id" | "name" | "slug" | "backendId" | "recorded">

/** Every machine that is no router's: which ones those are, only the routers say. */
const machinesOf = ({ one }: VmOffering) =>
  Effect.map(Effect.all([one.vm.listExtended(), one.router.list()], { concurrency: "unbounded" }), ([vms, routers]) => {
    const ofRouters = new Set(routers.flatMap((router) => router.vms))
    return vms.filter(({ id }) => !ofRouters.has(id))
  })

/** `agent`: its user's id. What is another's, that one may have written tags into. */
const ownedOf = (vm: Vm, agent: number): ReadonlyArray<OwnedObject> =>
  Option.match(ownerOf(vm.userTemplate), {
    onNone: () => [],
    onSome: ({ mark, ...owner }) => [
      {
        kind: "vm",
        id: vm.id,
        name: vm.name,
        ...owner,
        ...(mark !== undefined && vm.uid === agent ? { mark } : {}),
        since: vm.startedAt
      }
    ]
  })

/** Was this machine made for one of these resources, whatever it says? */
const isMadeForOne = ({ id, kind, since }: OwnedObject, resources: ReadonlyArray<KnownResource>): boolean =>
  kind === "vm" && since !== undefined && resources.some((resource) => isAsMade(resource, { id, startedAt: since }))

/** Which of these say that they are a resource's that has its machine, another one? A tenant may have written that into what had no resource any more. */
const surplusOf = (
  vms: ReadonlyArray<Vm>,
  objects: ReadonlyArray<OwnedObject>,
  resources: ReadonlyArray<KnownResource>
): ReadonlyArray<OwnedObject> => {
  const byId = new Map(vms.map((vm) => [vm.id, vm]))
  const own = new Map<string, number>(
    resources.flatMap((resource) => {
      const vm = byId.get(vmIdOf(resource.backendId) ?? -1)
      return vm !== undefined && (isAsMade(resource, vm) || isTaggedAs(resource)(vm)) ? [[resource.id, vm.id]] : []
    })
  )
  return objects.filter(({ id, kind, resource }) => kind === "vm" && (own.get(resource) ?? id) !== id)
}

/** A machine is of the project of the group that it is in. Its own template would not do: its tenant writes that. Nor will the group's alone. */
const importableOf = (offering: VmOffering) =>
  Effect.map(Effect.all([machinesOf(offering), offering.one.group.list(), offering.one.vdc.list()]), (found) => {
    const [vms, groups, vdcs] = found
    const projects = new Map(groups.map((group) => [group.id, projectIn(group, vdcs)]))
    return vms
      .filter((vm) => Option.isNone(ownerOf(vm.userTemplate)))
      .map((vm): Importable => {
        const { vcpu, ram, disk } = sizesOf(vm)
        return {
          name: vm.name,
          backendId: String(vm.id),
          ...projects.get(vm.gid),
          hint: projectHint(vm.gid),
          amounts: reportedLimits(offering.components, sizesOf(vm), false),
          metadata: { state: vmStateText(vm.state), vcpu, ram_mb: ram, disk_mb: disk, ip_address: addressOf(vm) }
        }
      })
  })

/** By its id, and by the name that the Python agent gave it: an id alone may come from another front-end. */
const resolveIn = (offering: VmOffering, vms: ReadonlyArray<Vm>, resource: Sought): Resolution => {
  const unresolved = (problem: string): Resolution => ({ _tag: "Unresolved", problem })
  const vmId = vmIdOf(resource.backendId)
  const expected = resourceName(offering.settings.allocation_prefix, resource)
  const name = vmId === undefined ? resource.backendId.trim() : ""
  const found = vms.filter((vm) => (vmId === undefined ? vm.name === name : vm.id === vmId))
  const [vm] = found
  if (vm === undefined) {
    return unresolved(vmId === undefined ? `no VM is named ${JSON.stringify(name)}` : `there is no VM ${vmId}`)
  }
  if (found.length > 1)
    return unresolved(`${found.length} VMs are named ${JSON.stringify(name)}: ${found.map(({ id }) => id).join(", ")}`)
  const owner = ownerOf(vm.userTemplate)
  const isMade = isAsMade(resource, vm)
  if (Option.isSome(owner)) {
    return isMade || sameUuid(owner.value.resource, resource.id)
      ? { _tag: "Resolved", backendId: String(vm.id), untagged: [] }
      : unresolved(`VM ${vm.id} belongs to resource ${owner.value.resource.slice(0, 36)}`)
  }
  if (vmId !== undefined && !isMade && vm.name.toLowerCase() !== expected) {
    return unresolved(`VM ${vm.id} is named ${JSON.stringify(vm.name)}, and not ${JSON.stringify(expected)}`)
  }
  return { _tag: "Resolved", backendId: String(vm.id), untagged: [`vm ${vm.id} ${vm.name}`] }
}

/** `isOwn`: whether one that has no tag is the resource's. */
const adopt = (offering: VmOffering, resource: Sought, isOwn: (vm: Vm) => boolean) =>
  ensureDone(
    "owner tag",
    Effect.gen(function* () {
      const vmId = vmIdOf(resource.backendId)
      const found = vmId === undefined ? Option.none<Vm>() : yield* findVm(offering, vmId)
      const isTagged = isTaggedAs(resource)
      const vm = Option.filter(
        found,
        (one) => isTagged(one) || isAsMade(resource, one) || (Option.isNone(ownerOf(one.userTemplate)) && isOwn(one))
      )
      if (Option.isNone(vm)) {
        return yield* new OrderRefused({
          customerMessage: "There is no such machine in the cloud, or it belongs to another resource.",
          detail: `backend_id "${resource.backendId}"`
        })
      }
      if (isTagged(vm.value)) return
      yield* offering.one.vm.append(vm.value.id, ownerTags({ resource: resource.id, order: "" }))
    })
  )

export const upkeep = (offering: VmOffering): Upkeep => ({
  place: offering.one.endpoint,
  setStanding: setStanding(offering),
  repair: (resource, kind) =>
    kind === "owner"
      ? adopt(offering, resource, (vm) => isCalledAs(resource, offering.settings.allocation_prefix, vm.name))
      : new OrderRefused({ customerMessage: `A machine's ${kind} cannot be put right by the agent.` }),
  owned: Effect.map(
    Effect.all([machinesOf(offering), offering.one.user.info(-1)], { concurrency: "unbounded" }),
    ([vms, agent]) => vms.flatMap((vm) => ownedOf(vm, agent.id))
  ),
  belonging: (objects, resources) => Effect.succeed(objects.filter((object) => isMadeForOne(object, resources))),
  surplus: (objects, resources) => Effect.map(machinesOf(offering), (vms) => surplusOf(vms, objects, resources)),
  removalOrder: ["vm"],
  remove: (object): Effect.Effect<void, SiteError> =>
    Effect.gen(function* () {
      const vm = yield* findVm(offering, object.id)
      if (Option.isNone(vm)) return
      const same = Option.exists(ownerOf(vm.value.userTemplate), ({ resource }) => resource === object.resource)
      if (!same) return yield* new OrderRefused({ customerMessage: `VM ${object.id} has another owner by now.` })
      yield* released(offering, vm.value)
      yield* removeVm(offering, object.id)
    }),
  importable: importableOf(offering),
  resolve: (resources) =>
    Effect.map(machinesOf(offering), (vms) => resources.map((resource) => resolveIn(offering, vms, resource))),
  adopt: (resource) => adopt(offering, resource, () => true)
})
