/** What VMs use and how they are, read in one call for all of them. */
import { Effect, Option } from "effect"
import type { KnownResource, Observation, SiteError, Usage } from "../../core/index.js"
import { isVmFailure, ownerOf, type Vm, vmStateText } from "../../opennebula/index.js"
import { addressOf, vmIdOf } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { sameUuid } from "./parent.js"
import { amountsOf, sizesOf, usedAmounts } from "./sizes.js"

/** The resources' VMs. One whose tag names another resource is not the resource's, whatever Waldur says. */
const vmsOf = (
  offering: VmOffering,
  resources: ReadonlyArray<KnownResource>
): Effect.Effect<ReadonlyArray<readonly [KnownResource, Option.Option<Vm>]>, SiteError> =>
  Effect.gen(function* () {
    const ids = resources.flatMap(({ backendId }) => vmIdOf(backendId) ?? [])
    const vms = new Map((yield* offering.one.vm.infoset(ids)).map((vm) => [vm.id, vm]))
    return resources.map((resource) => {
      const vm = Option.fromNullable(vmIdOf(resource.backendId)).pipe(
        Option.flatMapNullable((id) => vms.get(id)),
        Option.filter(
          ({ state, userTemplate }) =>
            state !== "Done" &&
            Option.match(ownerOf(userTemplate), {
              onNone: () => true,
              onSome: (owner) => sameUuid(owner.resource, resource.id)
            })
        )
      )
      return [resource, vm] as const
    })
  })

/** Allocated sizes, powered off or not. What does not exist is left out. */
export const usageOf =
  (offering: VmOffering) =>
  (resources: ReadonlyArray<KnownResource>): Effect.Effect<ReadonlyArray<Usage>, SiteError> =>
    Effect.map(vmsOf(offering, resources), (found) =>
      found.flatMap(([resource, vm]) =>
        Option.match(vm, {
          onNone: () => [],
          onSome: (present) => [{ resource: resource.id, amounts: usedAmounts(offering.components, present) }]
        })
      )
    )

export const observe =
  (offering: VmOffering) =>
  (resources: ReadonlyArray<KnownResource>): Effect.Effect<ReadonlyArray<Observation>, SiteError> =>
    Effect.map(vmsOf(offering, resources), (found) =>
      found.map(([resource, vm]) =>
        Option.match(vm, {
          onNone: (): Observation => ({ _tag: "Missing", resource: resource.id }),
          onSome: (present): Observation => ({
            _tag: "Present",
            resource: resource.id,
            state: vmStateText(present.state),
            healthy: !isVmFailure(present.state) && present.state !== "Unknown",
            amounts: amountsOf(offering.components, sizesOf(present)),
            facts: { vm_id: present.id, ip_address: addressOf(present) }
          })
        })
      )
    )
