/** What a customer can order: the six operations, and three orders that fail, whose undo is struck. Each with what has to stand before. */
import type { Effect } from "effect"
import { doubled, type Site, vdcName, vmName } from "./site.js"

export const operationNames = [
  "vdc-create",
  "vdc-update",
  "vm-create",
  "vm-switch",
  "vm-terminate",
  "vdc-terminate",
  "vdc-create-undo",
  "vm-create-undo",
  "vm-quota-undo"
] as const
export type OperationName = (typeof operationNames)[number]

type Placing = ReturnType<Site["place"]["vm"]>

export interface Operation {
  readonly name: OperationName
  readonly title: string
  readonly needs: ReadonlyArray<OperationName>
  /** The resource that it is about, once that is there. */
  readonly resource: string
  readonly place: (site: Site) => Effect.Effect<string, Effect.Effect.Error<Placing>>
  /** Makes the order fail for good. Its undo is what is struck: calls before that are not cells. */
  readonly spoil?: (site: Site) => void
}

const orderly: ReadonlyArray<Operation> = [
  { name: "vdc-create", title: "VDC create", needs: [], resource: vdcName, place: ({ place }) => place.vdc() },
  {
    name: "vdc-update",
    title: "VDC update limits",
    needs: ["vdc-create"],
    resource: vdcName,
    place: ({ place }) => place.updateLimits(vdcName, doubled)
  },
  {
    name: "vm-create",
    title: "VM create",
    needs: ["vdc-create"],
    resource: vmName,
    place: ({ place }) => place.vm()
  },
  {
    name: "vm-switch",
    title: "VM switch plan",
    needs: ["vdc-create", "vm-create"],
    resource: vmName,
    place: ({ place }) => place.switchToMedium(vmName)
  },
  {
    name: "vm-terminate",
    title: "VM terminate",
    needs: ["vdc-create", "vm-create"],
    resource: vmName,
    place: ({ place }) => place.terminate(vmName)
  },
  {
    name: "vdc-terminate",
    title: "VDC terminate",
    needs: ["vdc-create"],
    resource: vdcName,
    place: ({ place }) => place.terminate(vdcName)
  }
]

const bootFails = ({ cloud }: Site) => cloud.faults.failNext("deploy")

const quotaIsFull = ({ cloud }: Site) => {
  for (const group of cloud.world.groups) for (const row of group.quotas.VM) row.limits.set("CPU", 0.6)
}

const failing: ReadonlyArray<Operation> = [
  {
    name: "vdc-create-undo",
    title: "VDC create whose router does not boot: undo",
    needs: [],
    resource: vdcName,
    place: ({ place }) => place.vdc(),
    spoil: bootFails
  },
  {
    name: "vm-create-undo",
    title: "VM create that does not boot: undo",
    needs: ["vdc-create"],
    resource: vmName,
    place: ({ place }) => place.vm(),
    spoil: bootFails
  },
  {
    name: "vm-quota-undo",
    title: "VM create over quota: undo",
    needs: ["vdc-create"],
    resource: vmName,
    place: ({ place }) => place.vm(),
    spoil: quotaIsFull
  }
]

export const operations: ReadonlyMap<OperationName, Operation> = new Map(
  [...orderly, ...failing].map((operation) => [operation.name, operation])
)
