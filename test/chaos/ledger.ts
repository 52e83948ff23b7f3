/** What customers ordered, and what happened to it that is nobody's fault but the order's own: by this a verdict is checked. */

/** States of an order that has not ended. */
export const openStates: ReadonlySet<string> = new Set(["pending-provider", "executing"])

export interface Placed {
  readonly order: string
  readonly resource: string
  readonly kind: "vdc" | "vm"
  readonly type: "Create" | "Update" | "Terminate"
  /** Why it cannot be carried out as it is. */
  readonly bad: string | undefined
  /** Components in the backend's units, as they shall be once it is done. */
  readonly amounts: Readonly<Record<string, number>>
}

export interface Thing {
  readonly resource: string
  readonly name: string
  readonly kind: "vdc" | "vm"
  /** The VDC of a VM. */
  readonly parent: string | undefined
  /** What may make its orders err, oldest first. */
  readonly excuses: Array<string>
  /** Somebody deleted it, or a part of it, or left it half ended: what is there is not what was ordered. */
  wounded: boolean
  /** Other people changed its state, not its existence or sizes. */
  disturbed: boolean
  /** Amounts that it has according to its done orders; none: it is not there. */
  amounts: Readonly<Record<string, number>> | undefined
  /** Disk sizes in MB that a failed update may have left. */
  readonly mayHaveDisk: Array<number>
}

export class Ledger {
  readonly placed = new Map<string, Placed>()
  readonly things = new Map<string, Thing>()

  add(placed: Placed, thing: { readonly name: string; readonly parent?: string }): void {
    this.placed.set(placed.order, placed)
    if (!this.things.has(placed.resource)) {
      this.things.set(placed.resource, {
        resource: placed.resource,
        name: thing.name,
        kind: placed.kind,
        parent: thing.parent,
        excuses: [],
        wounded: false,
        disturbed: false,
        amounts: undefined,
        mayHaveDisk: []
      })
    }
    if (placed.bad !== undefined) this.excuse(placed.resource, placed.bad)
  }

  excuse(resource: string | undefined, why: string): void {
    const thing = resource === undefined ? undefined : this.things.get(resource)
    if (thing !== undefined && !thing.excuses.includes(why)) thing.excuses.push(why)
  }

  /** Its own, and those of the VDC that it is in or of the VMs that are in it. */
  excusesOf(resource: string): ReadonlyArray<string> {
    const thing = this.things.get(resource)
    if (thing === undefined) return ["not placed by a customer of this run"]
    const parent = this.things.get(thing.parent ?? "")
    const inside = [...this.things.values()].filter((other) => other.parent === resource)
    return [
      ...thing.excuses,
      ...(parent?.excuses ?? []),
      ...inside.flatMap((other) => other.excuses.filter((why) => why.startsWith("(shared)")))
    ]
  }
}
