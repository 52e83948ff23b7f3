/** What VMs use and how they are, read in one call for all of them: sizes as they are, and hours from the accounts. */
import { Effect, Option } from "effect"
import { ownerOf, type Vm } from "../../../opennebula/index.js"
import {
  byComponent,
  type KnownResource,
  printable,
  type SiteError,
  type Span,
  type Usage
} from "../../../plugin/index.js"
import { accountsIn, countedUntil, nothingUsed, readRecords } from "../../accounting.js"
import { isAsMade, vmIdOf } from "../machine.js"
import type { VmOffering } from "../offering.js"
import { usedAmounts } from "../ordered/sizes.js"
import { sameUuid } from "../parent.js"

interface Whose {
  readonly id: number
  readonly startedAt: number
  readonly ownerResource: Option.Option<string>
}

const isOf = (resource: KnownResource, { ownerResource, ...vm }: Whose): boolean =>
  Option.match(ownerResource, { onNone: () => true, onSome: (owner) => sameUuid(owner, resource.id) }) ||
  isAsMade(resource, vm)

/** The resource's VM, or why there is none. One whose tag names another resource is not the resource's, unless it is the very machine that was made for it. */
const vmOrProblem = (vms: ReadonlyMap<number, Vm>, resource: KnownResource): Vm | string => {
  const id = vmIdOf(resource.backendId)
  if (id === undefined) return `${printable(resource.backendId)} is not the number of a VM.`
  const vm = vms.get(id)
  if (vm === undefined || vm.state === "Done") return `There is no VM ${id} in OpenNebula.`
  const { startedAt } = vm
  const ownerResource = Option.map(ownerOf(vm.userTemplate), (tag) => tag.resource)
  return isOf(resource, { id, startedAt, ownerResource }) ? vm : `VM ${id} in OpenNebula belongs to another resource.`
}

/** The VMs of these resources, in one call. */
const vmsOf = (
  offering: VmOffering,
  resources: ReadonlyArray<KnownResource>
): Effect.Effect<ReadonlyMap<number, Vm>, SiteError> =>
  Effect.map(
    offering.one.vm.infoset(resources.flatMap(({ backendId }) => vmIdOf(backendId) ?? [])),
    (vms) => new Map(vms.map((vm) => [vm.id, vm]))
  )

/** Allocated sizes, powered off or not. */
export const usageOf =
  (offering: VmOffering) =>
  (resources: ReadonlyArray<KnownResource>): Effect.Effect<ReadonlyArray<Usage>, SiteError> =>
    Effect.map(vmsOf(offering, resources), (vms) =>
      resources.map((resource): Usage => {
        const vm = vmOrProblem(vms, resource)
        return typeof vm === "string"
          ? { resource: resource.id, amounts: {}, problem: vm }
          : { resource: resource.id, ...usedAmounts(offering.components, vm) }
      })
    )

/** Hours of each resource's VM. One that has no records at all has used nothing only if it is there. */
export const accounting =
  (offering: VmOffering) =>
  (
    resources: ReadonlyArray<KnownResource>,
    spans: ReadonlyArray<Span>
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<Usage>>, SiteError> =>
    Effect.gen(function* () {
      if (resources.length === 0) return spans.map(() => [])
      const until = yield* countedUntil
      const records = yield* readRecords(offering.one, spans)
      const owners = new Map(
        records.map(({ ownerResource, vmId, vmStartedAt }) => [
          vmId,
          { id: vmId, startedAt: vmStartedAt, ownerResource } satisfies Whose
        ])
      )
      const unknown = resources.filter(({ backendId }) => !owners.has(vmIdOf(backendId) ?? -1))
      const vms = yield* vmsOf(offering, unknown)
      const problemOf = (resource: KnownResource): string | undefined => {
        const owner = owners.get(vmIdOf(resource.backendId) ?? -1)
        if (owner === undefined) {
          const vm = vmOrProblem(vms, resource)
          return typeof vm === "string" ? vm : undefined
        }
        return isOf(resource, owner) ? undefined : `VM ${resource.backendId} in OpenNebula belongs to another resource.`
      }
      return spans.map((span) => {
        const accounts = accountsIn(span, records, until, ({ vmId }) => vmId)
        return resources.map((resource): Usage => {
          const problem = problemOf(resource)
          if (problem !== undefined) return { resource: resource.id, amounts: {}, problem }
          const account = accounts.get(vmIdOf(resource.backendId) ?? -1) ?? nothingUsed
          return { ...account, resource: resource.id, amounts: byComponent(offering.components, account.amounts) }
        })
      })
    })
