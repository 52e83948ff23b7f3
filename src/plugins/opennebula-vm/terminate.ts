/** Ends a VM, from whatever state it is in. What is gone already is success; what is not the resource's is never touched. */
import { Effect, Option } from "effect"
import type { Vm } from "../../opennebula/index.js"
import {
  ensureDone,
  type HandlerServices,
  OrderRefused,
  type Outcome,
  printable,
  type SiteError,
  type TerminateRequest
} from "../../plugin/index.js"
import { released } from "../locks.js"
import { belongsTo, findVm, isTaggedAs, notOurs, removeVm, vmIdOf } from "./machine.js"
import type { VmOffering } from "./offering.js"

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
    const [vm, held] = yield* Effect.all([findVm(offering, vmId), offering.one.vm.listOnHold()], {
      concurrency: "unbounded"
    })
    if (Option.isSome(vm)) {
      if (!belongsTo(offering, resource, vm.value)) return yield* notOurs(resource, vm.value)
      yield* released(offering, vm.value)
      yield* removeVm(offering, vmId)
    }
    // Made by a call that nobody had heard the end of, later than it was looked for: nobody knows of it, and it keeps the data centre from ending.
    yield* removeAll(offering, held.filter(isTaggedAs(resource)))
  })

const removeAll = (offering: VmOffering, vms: ReadonlyArray<Vm>) =>
  Effect.forEach(vms, (vm) => removeVm(offering, vm.id), { concurrency: 4, discard: true })

/** Without an id in Waldur there may still be what a failed create could not undo. */
const removeLeftovers = (offering: VmOffering, { resource }: TerminateRequest): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const vms = yield* offering.one.vm.listExtended()
    yield* removeAll(offering, vms.filter(isTaggedAs(resource)))
  })
