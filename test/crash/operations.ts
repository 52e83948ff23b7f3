/**
 * What a customer can order: the six operations; orders that fail, whose undo is struck; and ends that OpenNebula fails on the way, and that are done all
 * the same. Each with what has to stand before.
 */
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
  "vm-quota-undo",
  "vdc-network-undo",
  "vm-disk-undo",
  "vm-switch-undo",
  "vm-terminate-epilog",
  "vdc-terminate-network"
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
  /** Makes something fail on the way that the order gets over. */
  readonly hinder?: (site: Site) => void
}

/** Before the order is placed. */
export const makeFail = (operation: Operation, site: Site): void => {
  operation.spoil?.(site)
  operation.hinder?.(site)
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

const fails =
  (...[action]: Parameters<Site["cloud"]["faults"]["failNext"]>) =>
  ({ cloud }: Site) =>
    cloud.faults.failNext(action)
const bootFails = fails("deploy")

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
  },
  {
    name: "vdc-network-undo",
    title: "VDC create whose network fails: undo",
    needs: [],
    resource: vdcName,
    place: ({ place }) => place.vdc(),
    spoil: fails("network-create")
  },
  {
    name: "vm-disk-undo",
    title: "VM create whose disk cannot be copied: undo",
    needs: ["vdc-create"],
    resource: vmName,
    place: ({ place }) => place.vm(),
    spoil: fails("prolog")
  },
  {
    name: "vm-switch-undo",
    title: "VM switch plan whose disk cannot be grown: undo",
    needs: ["vdc-create", "vm-create"],
    resource: vmName,
    place: ({ place }) => place.switchToMedium(vmName),
    spoil: fails("disk-resize")
  }
]

const hindered: ReadonlyArray<Operation> = [
  {
    name: "vm-terminate-epilog",
    title: "VM terminate whose disk cannot be removed at first",
    needs: ["vdc-create", "vm-create"],
    resource: vmName,
    place: ({ place }) => place.terminate(vmName),
    hinder: fails("epilog")
  },
  {
    name: "vdc-terminate-network",
    title: "VDC terminate whose network cannot be removed at first",
    needs: ["vdc-create"],
    resource: vdcName,
    place: ({ place }) => place.terminate(vdcName),
    hinder: fails("network-delete")
  }
]

export const operations: ReadonlyMap<OperationName, Operation> = new Map(
  [...orderly, ...failing, ...hindered].map((operation) => [operation.name, operation])
)
