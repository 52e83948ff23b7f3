/** How machines are: one read for all that have an id, and one of the whole pool only if some of those ids lead nowhere. */
import { Effect, Option } from "effect"
import { isVmFailure, ownerOf, type Vm, vmStateText } from "../../opennebula/index.js"
import type { Finding, Observation, SiteError, SoughtResource, StandingFound } from "../../plugin/index.js"
import { isCalledAs, ownerFindings } from "../owner.js"
import { isAwake, isUnder } from "../standing.js"
import { addressOf, vmIdOf } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { sameUuid } from "./parent.js"
import { amountsOf, sizesOf } from "./sizes.js"

const ownerIs = (vm: Vm, resource: SoughtResource): boolean =>
  Option.exists(ownerOf(vm.userTemplate), (owner) => sameUuid(owner.resource, resource.id))

export const observe =
  (offering: VmOffering) =>
  (resources: ReadonlyArray<SoughtResource>): Effect.Effect<ReadonlyArray<Observation>, SiteError> =>
    Effect.gen(function* () {
      const ids = resources.flatMap(({ backendId }) => vmIdOf(backendId) ?? [])
      const live = (yield* offering.one.vm.infoset(ids)).filter(({ state }) => state !== "Done")
      const byId = new Map(live.map((vm) => [vm.id, vm]))
      const idOf = ({ backendId }: SoughtResource) => byId.get(vmIdOf(backendId) ?? -1)
      const lost = resources.some((resource) => idOf(resource) === undefined)
      const all = lost ? yield* offering.one.vm.listExtended() : live
      return resources.map((resource) =>
        look(offering, resource, idOf(resource) ?? all.find((vm) => ownerIs(vm, resource)))
      )
    })

const look = (offering: VmOffering, resource: SoughtResource, vm: Vm | undefined): Observation => {
  if (vm === undefined) return { _tag: "Missing", resource: resource.id }
  const owner = ownerOf(vm.userTemplate)
  if (Option.isSome(owner) && !ownerIs(vm, resource)) {
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
        untagged: Option.isSome(ownerOf(vm.userTemplate))
          ? undefined
          : { isOurs: isCalledAs(resource, offering.settings.allocation_prefix, vm.name), mendable: true },
        isBackendId: vmIdOf(resource.backendId) === vm.id
      }),
      ...addressFindings(resource, vm)
    ],
    facts: { vm_id: vm.id, ip_address: addressOf(vm) }
  }
}

const standingOf = (vm: Vm): StandingFound => {
  const standing = isUnder(vm.userTemplate)
  if (standing !== "paused") return { standing, complete: true, detail: "" }
  if (isAwake(vm.state)) return { standing, complete: false, detail: "it runs" }
  return vm.locked
    ? { standing, complete: true, detail: "" }
    : { standing, complete: false, detail: "it can be started" }
}

/** Where Waldur shows the customer an address that the machine does not have. */
const addressFindings = ({ recorded = {} }: SoughtResource, vm: Vm): ReadonlyArray<Finding> => {
  const shown = recorded.ip_address
  const actual = addressOf(vm)
  return shown === undefined || shown === actual
    ? []
    : [{ kind: "network", subject: "address", expected: shown, found: actual || "none", mendable: false }]
}
