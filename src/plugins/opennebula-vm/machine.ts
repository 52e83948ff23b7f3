/** One VM as the handlers see it: whose it is, how it is brought into a state, how it is removed. */
import { Effect, Option, Schema } from "effect"
import { type OpenNebulaError, ownerOf, type Vm, type VmShort } from "../../opennebula/index.js"
import { resourceName } from "../../opennebula/naming.js"
import { type KnownResource, OrderRefused, type Resource, type SiteError } from "../../plugin/index.js"
import { isLocked, lockedRefusal } from "../locks.js"
import { drive, whereItIs } from "../machines.js"
import type { VmOffering } from "./offering.js"
import { Sizes, sizesOf } from "./ordered/sizes.js"
import { sameUuid } from "./parent.js"

export { type Driven, drive, isResting, statusOf, whenWithin, whereItIs } from "../machines.js"

/** What is kept and shown of a VM. */
export const VmFacts = Schema.Struct({
  id: Schema.Int,
  /** Empty if it has none. */
  address: Schema.String,
  sizes: Sizes,
  /** When it was made: seconds since 1970. Absent: an earlier version has noted it. */
  startedAt: Schema.optionalWith(Schema.Int, { exact: true }),
  /** Whose quota it is in. Absent: as above. */
  group: Schema.optionalWith(Schema.Int, { exact: true })
})
export type VmFacts = typeof VmFacts.Type

export const factsOf = (vm: VmShort): VmFacts => ({
  id: vm.id,
  address: addressOf(vm),
  sizes: sizesOf(vm),
  startedAt: vm.startedAt,
  group: vm.gid
})

export const addressOf = (vm: VmShort): string =>
  Option.getOrElse(Option.firstSomeOf(vm.nics.map((nic) => nic.ip)), () => "")

/** A VM's `backend_id`; `undefined` if it is none. */
export const vmIdOf = (backendId: string): number | undefined =>
  /^\d{1,9}$/.test(backendId.trim()) ? Number(backendId) : undefined

/** None if it is Done, or there never was one. */
export const findVm = (offering: VmOffering, vmId: number): Effect.Effect<Option.Option<Vm>, OpenNebulaError> =>
  offering.one.vm.info(vmId).pipe(
    Effect.map((vm) => (vm.state === "Done" ? Option.none() : Option.some(vm))),
    Effect.catchTag("NoSuchObject", () => Effect.succeedNone)
  )

/**
 * Is it the very machine that was made for the resource? By its id and the second in which it was made (STIME), both as Waldur was told when its order was
 * done. Its tenant may write tags into it, and give it another name, user or group, but not these; and an id that is given once more, after OpenNebula was put
 * back from a backup, comes with a later second.
 */
export const isAsMade = (
  { backendId, recorded = {} }: KnownResource,
  { id, startedAt }: { readonly id: number; readonly startedAt: number }
): boolean =>
  vmIdOf(backendId) === id && recorded.vm_id === String(id) && startedAt > 0 && recorded.vm_stime === String(startedAt)

/**
 * Is this VM the resource's? As it was made, or by its tag. One without a tag may be the Python agent's: it must have the name that this agent gave it, as a
 * `backend_id` alone may come from another front-end or from a mistake.
 */
export const belongsTo = (offering: VmOffering, resource: Resource, vm: Vm): boolean =>
  isAsMade(resource, vm) ||
  (Option.isSome(ownerOf(vm.userTemplate)) ? isTaggedAs(resource)(vm) : isNamedAs(offering, resource, vm))

const isNamedAs = ({ settings }: VmOffering, resource: Resource, vm: Vm): boolean =>
  vm.name.toLowerCase() === resourceName(settings.allocation_prefix, resource)

/** Has it the resource's tag? */
export const isTaggedAs =
  (resource: Pick<Resource, "id">) =>
  (vm: Vm): boolean =>
    Option.exists(ownerOf(vm.userTemplate), (owner) => sameUuid(owner.resource, resource.id))

/** Is the machine that has this id somebody else's? One that is gone is nobody's. */
const whereThere =
  (offering: VmOffering, isOthers: (vm: Vm) => Effect.Effect<boolean, SiteError>) =>
  (vmId: number): Effect.Effect<boolean, SiteError> =>
    Effect.flatMap(findVm(offering, vmId), Option.match({ onNone: () => Effect.succeed(false), onSome: isOthers }))

/** Has somebody else's machine this id by now, as after OpenNebula was put back from a backup? */
export const isOthers = (offering: VmOffering, resource: Resource) =>
  whereThere(offering, (vm) => Effect.succeed(!belongsTo(offering, resource, vm)))

/** The same for a create that hands its machine over to this group. */
export const isOthersIn = (offering: VmOffering, resource: Resource, group: number) =>
  whereThere(offering, (vm) => isStrangersIn(offering, resource, group, vm))

/**
 * Of the machine that was handed over to this group: a tenant may write into its tags from then on, so its name will do. One of the agent's user in that
 * group that has neither is a stranger's, or the very machine: nothing tells which, so it fails.
 */
export const isStrangersIn = (
  offering: VmOffering,
  resource: Resource,
  group: number,
  vm: Vm
): Effect.Effect<boolean, SiteError> =>
  Effect.gen(function* () {
    if (isTaggedAs(resource)(vm) || isNamedAs(offering, resource, vm)) return false
    if (vm.gid !== group) return true
    const agent = yield* offering.one.user.info(-1)
    return agent.id === vm.uid ? yield* notOurs(resource, vm) : true
  })

export const notOurs = (resource: Resource, vm: Vm): OrderRefused =>
  new OrderRefused({
    customerMessage:
      "The machine with this resource's id in the cloud was not made for this resource, so it is left alone: ask the provider.",
    detail: `VM ${vm.id} "${vm.name}" has no WALDUR_RESOURCE_UUID="${resource.id}" in its user template, nor the resource's name`
  })

/** Ends a VM from whatever state it is in, and waits until its disks and leases are free. Content if it is gone already. */
export const removeVm = (offering: VmOffering, vmId: number): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const end = yield* drive(offering, vmId, {
      action: "terminate-hard",
      until: (vm) => vm.state === "Done",
      seconds: offering.settings.terminate_timeout
    }).pipe(Effect.catchIf(isLocked, () => lockedRefusal("machine")))
    if (end._tag !== "Stuck") return
    return yield* new OrderRefused({
      customerMessage: "The cloud could not end the machine in time: try again later, or ask the provider.",
      detail: `VM ${vmId} is still ${end.state}${yield* whereItIs(offering, vmId)}`
    })
  })
