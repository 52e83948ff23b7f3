/**
 * What a customer can order: the six operations; orders that fail, whose undo is struck; ends that OpenNebula fails on the way, and that are done all
 * the same; and what cannot be carried out, ended or taken back while something of the cloud is broken. Each with what has to stand before.
 */
import type { Effect } from "effect"
import { onBrokenHosts, onBrokenNetworks } from "./broken.js"
import { doubled, type Site, type SiteOptions, vdcName, vmName } from "./site.js"

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
  "vdc-terminate-network",
  "vm-create-host",
  "vm-switch-host",
  "vm-terminate-host",
  "vdc-create-host",
  "vdc-terminate-host",
  "vdc-create-hangs",
  "vdc-terminate-hangs",
  "vdc-terminate-error"
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
  /** Makes something of the cloud break, and stay so until its operator mends it. All calls of the order are struck. */
  readonly broken?: Broken
}

/** What is broken for longer than an order waits: what the order may leave behind for that, and what it has to say. */
export interface Broken {
  readonly breaks: (site: Site) => void
  /** Shorter ones than an operator has: they are all over before the order errs. */
  readonly settings: Pick<SiteOptions, "machines" | "centres">
  /** What its customer reads. */
  readonly sentence: RegExp
  /** On the list of leftovers, and nothing else: step, and the reason that the operator reads. */
  readonly leftovers: Readonly<Record<string, RegExp>>
  /** Of these, what an agent that was started again may find taken back, as far as it can be. */
  readonly perhaps?: ReadonlyArray<string>
  /** What the operator reads in the log of why it has erred. */
  readonly said: RegExp
  /** The operator's hand. What was left over then goes by itself, and an end can be ordered again. */
  readonly mend: (site: Site) => void
  /** Calls that come as often as there is time for them: the first of each counts. */
  readonly repeats: ReadonlyArray<string>
}

/** Before the order is placed. */
export const makeFail = (operation: Operation, site: Site): void => {
  operation.spoil?.(site)
  operation.hinder?.(site)
  operation.broken?.breaks(site)
}

/** How it ends. */
export const endOf = ({ broken, spoil }: Operation): "done" | "erred" =>
  spoil === undefined && broken === undefined ? "done" : "erred"

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
  [...orderly, ...failing, ...hindered, ...onBrokenHosts, ...onBrokenNetworks].map((operation) => [
    operation.name,
    operation
  ])
)
