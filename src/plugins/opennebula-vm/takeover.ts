/**
 * The machine that the Python agent has left of a create that it was stopped in. It has no tag, so that a second one would be made beside it, which nobody
 * would ever end.
 *
 * Only asked of an order that may have been begun elsewhere, which its journal says. It is the machine whose id that agent has told Waldur already, or else the
 * one of the agent's own user in the parent's network; both with the name that it gives, and without an owner.
 */
import { Effect, Option } from "effect"
import { ownerOf, ownerTags, type Vm } from "../../opennebula/index.js"
import { resourceName } from "../../opennebula/naming.js"
import { OrderRefused, type OrderRequest } from "../../plugin/index.js"
import { vmIdOf } from "./machine.js"
import type { VmOffering } from "./offering.js"
import type { Parent } from "./parent.js"

type Ordered = Pick<OrderRequest, "order" | "resource">

export const takenOver = (
  offering: VmOffering,
  { order, resource }: Ordered,
  { parent }: { readonly parent: Parent }
) =>
  Effect.gen(function* () {
    const { one, settings } = offering
    const [vms, agent] = yield* Effect.all([one.vm.listExtended(), one.user.info(-1)], { concurrency: "unbounded" })
    const name = resourceName(settings.allocation_prefix, resource)
    const told = vmIdOf(resource.backendId)
    const left = vms.filter(
      (vm) =>
        vm.state !== "Done" &&
        vm.name.toLowerCase() === name &&
        Option.isNone(ownerOf(vm.userTemplate)) &&
        (told === undefined ? vm.uid === agent.id && isIn(vm, parent) : vm.id === told)
    )
    const [vm] = left
    if (left.length > 1) {
      return yield* new OrderRefused({
        customerMessage: "The machine was begun more than once by the agent before this one: ask the provider.",
        detail: `${left.length} VMs of user ${agent.id} are named "${name}" and have no owner: ${left.map(({ id }) => id).join(", ")}. End those that are not wanted.`
      })
    }
    if (vm === undefined) return Option.none<number>()
    yield* one.vm.append(vm.id, ownerTags({ resource: resource.id, order }))
    yield* Effect.logInfo(`Goes on with VM ${vm.id}, which the agent before this one had begun`)
    return Option.some(vm.id)
  })

const isIn = (vm: Vm, { network }: Parent): boolean =>
  vm.nics.some(({ networkId }) => Option.exists(networkId, (id) => id === network))
