/** The journal as it grows, seen from outside: which steps are open, for the check that the journal explains every call. */
export interface Entry {
  readonly order: string
  readonly resource: string
  readonly epoch: number
  readonly step: string
  readonly event: string
  readonly data: string | null
  readonly at: number
}

const opening: ReadonlySet<string> = new Set(["started", "undoing"])
const closing: ReadonlySet<string> = new Set(["finished", "adopted", "undone", "undo-failed"])

export class Mirror {
  private readonly entries: Array<Entry> = []
  private readonly open = new Map<string, Map<string, string>>()
  /** Steps that were begun at some time since the order was last accepted. */
  private readonly begun = new Map<string, Set<string>>()
  /** Orders accepted and not ended, by resource. */
  private readonly running = new Map<string, Set<string>>()
  /** Resource -> orders that ran at the same time. */
  overlap: string | undefined
  /** A write by a process whose resource another one had taken over, and written for, before. */
  late: string | undefined
  /** Resource -> the newest lease that has written. */
  private readonly epochs = new Map<string, number>()

  private readonly leftovers = new Set<string>()

  /** What the disk still has after a power cut. */
  begin(entries: ReadonlyArray<Entry>): void {
    this.entries.length = 0
    for (const known of [this.open, this.begun, this.running, this.epochs, this.leftovers]) known.clear()
    for (const entry of entries) this.append(entry)
  }

  append(entry: Entry): void {
    this.entries.push(entry)
    const { order, step, event, resource, epoch } = entry
    const newest = this.epochs.get(resource) ?? 0
    if (epoch < newest) this.late = `order ${order}, ${step} ${event}: lease ${epoch} after lease ${newest}`
    this.epochs.set(resource, Math.max(epoch, newest))
    if (step === "order") {
      const running = this.running.get(resource) ?? new Set()
      this.running.set(resource, running)
      if (event === "accepted") {
        this.open.set(order, new Map())
        this.begun.set(order, new Set())
        running.add(order)
        if (running.size > 1) this.overlap = `resource ${resource}: orders ${[...running].join(" and ")}`
      }
      if (event === "done" || event === "erred") running.delete(order)
      return
    }
    const steps = this.open.get(order) ?? new Map<string, string>()
    this.open.set(order, steps)
    if (event === "undo-failed") this.leftovers.add(`${order} ${step}`)
    if (event === "undone") this.leftovers.delete(`${order} ${step}`)
    if (opening.has(event)) {
      steps.set(step, event)
      const begun = this.begun.get(order) ?? new Set()
      this.begun.set(order, begun.add(step))
    } else if (closing.has(event)) steps.delete(step)
  }

  /** Steps of the order that are begun and not ended: "group started". */
  openSteps(order: string): ReadonlyArray<string> {
    return [...(this.open.get(order) ?? [])].map(([step, event]) => `${step} ${event}`)
  }

  begunSteps(order: string): ReadonlyArray<string> {
    return [...(this.begun.get(order) ?? [])]
  }

  leftoverOrders(): ReadonlySet<string> {
    return new Set([...this.leftovers].map((leftover) => leftover.split(" ")[0] ?? ""))
  }

  isRunning(resource: string): boolean {
    return (this.running.get(resource)?.size ?? 0) > 0
  }

  ended(order: string): string | undefined {
    return this.entries.findLast(
      (entry) => entry.order === order && entry.step === "order" && ["done", "erred", "accepted"].includes(entry.event)
    )?.event
  }
}
