/** Ends a VM, from whatever state it is in. What is gone already is success; what is not the resource's is never touched. */
import { Effect, Option } from "effect"
import { ownerOf } from "../../opennebula/index.js"
import {
  ensureDone,
  type HandlerServices,
  OrderRefused,
  type Outcome,
  printable,
  type SiteError,
  type TerminateRequest
} from "../../plugin/index.js"
import { belongsTo, findVm, notOurs, removeVm, vmIdOf } from "./machine.js"
import type { VmOffering } from "./offering.js"
import { sameUuid } from "./parent.js"
import { released } from "./standing.js"

export const terminateVm =
  (offering: VmOffering) =>
  (request: TerminateRequest): Effect.Effect<Outcome, SiteError, HandlerServices> => {
    const { resource } = request
    return resource.backendId.trim() === ""
      ? Effect.as(ensureDone("leftovers", removeLeftovers(offering, request)), {})
      : Effect.as(ensureDone("vm", removeOwn(offering, request)), {})
  }

const removeOwn = (offering: VmOffering, { resource }: TerminateRequest): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const vmId = vmIdOf(resource.backendId)
    if (vmId === undefined) {
      return yield* new OrderRefused({
        customerMessage: "The resource's id in the cloud is not that of a machine: ask the provider.",
        detail: `backend_id "${printable(resource.backendId)}" is no VM id`
      })
    }
    const vm = yield* findVm(offering, vmId)
    if (Option.isNone(vm)) return
    if (!belongsTo(offering, resource, vm.value)) return yield* notOurs(resource, vm.value)
    yield* released(offering, vm.value)
    yield* removeVm(offering, vmId)
  })

/** Without an id in Waldur there may still be what a failed create could not undo. */
const removeLeftovers = (offering: VmOffering, { resource }: TerminateRequest): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const vms = yield* offering.one.vm.listExtended()
    const own = vms.filter((vm) =>
      Option.exists(ownerOf(vm.userTemplate), (owner) => sameUuid(owner.resource, resource.id))
    )
    yield* Effect.forEach(own, (vm) => removeVm(offering, vm.id), { concurrency: 4, discard: true })
  })
