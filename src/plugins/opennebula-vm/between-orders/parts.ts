/** What a machine is made of: itself, its disks and its interfaces. */
import { Effect, Option } from "effect"
import { isVmFailure, ownerOf, vmStateText } from "../../../opennebula/index.js"
import { type KnownResource, partKey, type ResourcePart, type SiteError } from "../../../plugin/index.js"
import { isAsMade, vmIdOf } from "../machine.js"
import type { VmOffering } from "../offering.js"
import { sameUuid } from "../parent.js"

export const partsOf =
  (offering: VmOffering) =>
  (resource: KnownResource): Effect.Effect<ReadonlyArray<ResourcePart>, SiteError> =>
    Effect.gen(function* () {
      const id = vmIdOf(resource.backendId)
      const [vm] = id === undefined ? [] : yield* offering.one.vm.infoset([id])
      if (vm === undefined || vm.state === "Done") return []
      // One whose tag names another resource is not this one's, unless it is the very machine that was made for it.
      const isOthers = Option.exists(ownerOf(vm.userTemplate), (owner) => !sameUuid(owner.resource, resource.id))
      if (isOthers && !isAsMade(resource, vm)) return []
      const parent = partKey({ kind: "vm", id: String(vm.id) })
      const healthy = !isVmFailure(vm.state) && vm.state !== "Unknown"
      const group: ResourcePart = { kind: "group", id: String(vm.gid), name: "", state: "", detail: "" }
      return [
        group,
        {
          kind: "vm",
          id: String(vm.id),
          name: vm.name,
          state: vmStateText(vm.state),
          healthy,
          detail: vm.locked ? "locked" : "",
          parent: partKey(group)
        },
        ...vm.disks.map((disk) => ({
          kind: "disk",
          id: String(disk.id),
          name: "",
          state: "",
          detail: `${disk.size} MB, ${disk.type}`,
          parent
        })),
        ...vm.nics.map((nic) => ({
          kind: "interface",
          id: String(nic.id),
          name: nic.network,
          state: "",
          detail: [...Option.toArray(nic.ip), ...Option.toArray(nic.mac)].join(", "),
          parent
        }))
      ]
    })
