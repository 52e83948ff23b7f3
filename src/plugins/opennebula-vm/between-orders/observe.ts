/** How machines are: one read for all that have an id, and one of the whole pool only if some of those ids lead nowhere. */
import { Array, Effect, Option } from "effect"
import { isVmFailure, ownerOf, type Vm, vmStateText } from "../../../opennebula/index.js"
import type { Finding, Observation, SiteError, SoughtResource, StandingFound } from "../../../plugin/index.js"
import { isCalledAs, ownerFindings } from "../../owner.js"
import { isAwake, isUnder } from "../../standing.js"
import { addressOf, isAsMade, isTaggedAs, vmIdOf } from "../machine.js"
import type { VmOffering } from "../offering.js"
import { amountsOf, sizesOf } from "../ordered/sizes.js"
import { plainUuid } from "../parent.js"

export const observe =
  (offering: VmOffering) =>
  (resources: ReadonlyArray<SoughtResource>): Effect.Effect<ReadonlyArray<Observation>, SiteError> =>
    Effect.gen(function* () {
      const ids = resources.flatMap(({ backendId }) => vmIdOf(backendId) ?? [])
      const [found, held] = yield* Effect.all([offering.one.vm.infoset(ids), offering.one.vm.listOnHold()], {
        concurrency: "unbounded"
      })
      const live = found.filter(({ state }) => state !== "Done")
      const byId = new Map(live.map((vm) => [vm.id, vm]))
      const idOf = ({ backendId }: SoughtResource) => byId.get(vmIdOf(backendId) ?? -1)
      const lost = resources.some((resource) => idOf(resource) === undefined)
      const all = lost ? yield* offering.one.vm.listExtended() : live
      // Each tag is read once: while many are made, many are on hold.
      const heldBy = Array.groupBy(held, (vm) =>
        Option.match(ownerOf(vm.userTemplate), { onNone: () => "", onSome: (owner) => plainUuid(owner.resource) })
      )
      // A machine that was made for one of them is not another's, whatever its tenant has written into it.
      const made = new Set(
        resources.flatMap((resource) => {
          const vm = idOf(resource)
          return vm !== undefined && isAsMade(resource, vm) ? [vm.id] : []
        })
      )
      const tagged = (resource: SoughtResource) => all.find((vm) => isTaggedAs(resource)(vm) && !made.has(vm.id))
      return resources.map((resource) => {
        const vm = idOf(resource)
        const observed = look(offering, resource, vm ?? tagged(resource), heldBy[plainUuid(resource.id)] ?? [])
        return vm === undefined || made.has(vm.id) || observed._tag !== "Present"
          ? observed
          : { ...observed, toRecord: toRecordOf(resource, vm) }
      })
    })

const look = (
  offering: VmOffering,
  resource: SoughtResource,
  vm: Vm | undefined,
  held: ReadonlyArray<Vm>
): Observation => {
  if (vm === undefined) return { _tag: "Missing", resource: resource.id }
  const owner = ownerOf(vm.userTemplate)
  const isOthers = Option.isSome(owner) && !isTaggedAs(resource)(vm)
  if (isOthers && !isAsMade(resource, vm)) {
    const whose = `resource ${owner.value.resource.slice(0, 36)}`
    return { _tag: "Foreign", resource: resource.id, object: `VM ${vm.id}`, owner: whose }
  }
  return {
    _tag: "Present",
    resource: resource.id,
    state: vmStateText(vm.state),
    healthy: !isVmFailure(vm.state) && vm.state !== "Unknown",
    measures: "sizes",
    // Disks cannot shrink: with `keep`, a smaller order leaves them as they are.
    mayExceed: offering.settings.disk_shrink === "keep" ? ["vm_disk", "storage"] : [],
    amounts: amountsOf(offering.components, sizesOf(vm)),
    standing: standingOf(vm),
    standings: ["active", "paused"],
    findings: [
      ...ownerFindings(resource, {
        subject: `VM ${vm.id}`,
        id: vm.id,
        name: vm.name,
        untagged: Option.isSome(owner)
          ? undefined
          : {
              isOurs: isAsMade(resource, vm) || isCalledAs(resource, offering.settings.allocation_prefix, vm.name),
              mendable: true
            },
        isBackendId: vmIdOf(resource.backendId) === vm.id,
        claim: isOthers ? owner.value.resource : undefined
      }),
      ...secondFindings(vm, held),
      ...groupFindings(resource, vm),
      ...addressFindings(resource, vm)
    ],
    facts: { vm_id: vm.id, ip_address: addressOf(vm) }
  }
}

/**
 * A machine of an earlier version, or an imported one: Waldur does not remember in which second it was made. It is told while the tag still says whose it is; of
 * one with another number or second in Waldur, the tag alone is no reason to.
 */
const toRecordOf = ({ id, recorded = {} }: SoughtResource, vm: Vm) => {
  const isOther = (recorded.vm_id ?? String(vm.id)) !== String(vm.id) || recorded.vm_stime !== undefined
  return isOther || vm.startedAt <= 0 || !isTaggedAs({ id })(vm) ? undefined : { vm_id: vm.id, vm_stime: vm.startedAt }
}

const standingOf = (vm: Vm): StandingFound => {
  const standing = isUnder(vm.userTemplate)
  if (standing !== "paused") return { standing, complete: true, detail: "" }
  if (isAwake(vm.state)) return { standing, complete: false, detail: "it runs" }
  return vm.locked
    ? { standing, complete: true, detail: "" }
    : { standing, complete: false, detail: "it can be started" }
}

/** What a call made that nobody had heard the end of, later than it was looked for: it is on hold, as nobody released it. */
const secondFindings = (vm: Vm, held: ReadonlyArray<Vm>): ReadonlyArray<Finding> =>
  held
    .filter(({ id }) => id !== vm.id)
    .map(({ id }) => ({
      kind: "owner",
      subject: `VM ${id}`,
      expected: `VM ${vm.id} alone`,
      found: "on hold with this resource's tag",
      mendable: false,
      advice: `Delete VM ${id} in OpenNebula: it was made by a call that had no answer, and has never run. The machine's end removes both.`
    }))

/** Whoever manages two data centres may give a machine of the one to the other: the quota, the pause and the end of that one are its own then. */
const groupFindings = ({ recorded = {} }: SoughtResource, { gid, id }: Vm): ReadonlyArray<Finding> => {
  const group = recorded.group_id
  return group === undefined || group === String(gid)
    ? []
    : [
        {
          kind: "owner",
          subject: `VM ${id}`,
          expected: `in group ${group}`,
          found: `in group ${gid}`,
          mendable: false,
          advice: `It was given to another group, and is in the quota, and stopped and ended with the data centre, of that one. Give it back in OpenNebula (onevm chgrp ${id} ${group}); its next change in Waldur takes it as it is.`
        }
      ]
}

/** Where Waldur shows the customer an address that the machine does not have. */
const addressFindings = ({ recorded = {} }: SoughtResource, vm: Vm): ReadonlyArray<Finding> => {
  const shown = recorded.ip_address
  const actual = addressOf(vm)
  return shown === undefined || shown === actual
    ? []
    : [{ kind: "network", subject: "address", expected: shown, found: actual || "none", mendable: false }]
}
