/**
 * What is made of a document's tags and texts: one tree, or of a pool the tree of the item that is being read. Each is handed over when it is
 * complete. What nobody reads is counted, and not built.
 */
import { MalformedAnswer } from "../errors.js"
import type { Reads, XmlElement } from "./answer.js"

/** OpenNebula 7.4 stays under 10; what is deeper was made to hurt. */
export const deepestNesting = 64

/** Of one document, or of one item of a pool. A cluster of 10,000 VMs has 10,000 IDs; an element costs some 100 bytes of memory. */
export const mostElements = 1_000_000

interface GrowingElement extends XmlElement {
  text: string
  children: Array<GrowingElement>
}

/** Most elements are leaves, and share this until they get a child: it saves an array for each. */
const noChildren: Array<GrowingElement> = []

/** `Reads`, to be asked by any name that somebody may have made up: "constructor" is none of them. */
type Plan = ReadonlyMap<string, Plan | true> | true

const planOf = (reads: Reads | true): Plan =>
  reads === true || new Map(Object.entries(reads).map(([name, inner]) => [name, planOf(inner)]))

export class Tree {
  private readonly plan: Plan
  /** Elements that are open and wanted, and what is read of each of those. */
  private readonly open: Array<GrowingElement> = []
  private readonly plans: Array<Plan> = []
  /** How deep we are in an element of an item that nobody reads; 0: in none. */
  private unread = 0
  private depth = 0
  private elements = 0
  private complete: Array<XmlElement> = []

  /**
   * `items`: which children of the root make up the pool; without it the whole document is the one item. Of each item only what `reads` names is
   * built.
   */
  constructor(
    private readonly items: ReadonlyArray<string> | undefined,
    reads: Reads | true
  ) {
    this.plan = planOf(reads)
  }

  /** What became complete since the last time. */
  take(): ReadonlyArray<XmlElement> {
    if (this.complete.length === 0) return this.complete
    const taken = this.complete
    this.complete = []
    return taken
  }

  /** Whether the name of an element that opens here matters. */
  get asksForNames(): boolean {
    return this.unread === 0
  }

  /** Whether text that stands here is read. */
  get asksForText(): boolean {
    return this.unread === 0 && this.open.length > 0
  }

  /** An element opens; its name only matters if `asksForNames`. */
  opens(name: string): void {
    this.depth += 1
    if (this.depth > deepestNesting) {
      throw new MalformedAnswer({ reason: `the document nests deeper than ${deepestNesting} elements` })
    }
    if (this.unread > 0) {
      this.unread += 1
      return
    }
    const { open } = this
    const last = open.length - 1
    const parent = open[last]
    if (parent === undefined && !this.begins(name)) return
    const around = this.plans[last]
    const plan = around === undefined ? this.plan : around === true || around.get(name)
    if (plan === undefined) {
      this.unread = 1
      return
    }
    this.elements += 1
    if (this.elements > mostElements) {
      throw new MalformedAnswer({ reason: `the document has more than ${mostElements} elements` })
    }
    const element: GrowingElement = { name, text: "", children: noChildren }
    if (parent !== undefined) {
      if (parent.children === noChildren) parent.children = [element]
      else parent.children.push(element)
    }
    open.push(element)
    this.plans.push(plan)
  }

  closes(): void {
    this.depth -= 1
    if (this.unread > 0) {
      this.unread -= 1
      return
    }
    this.plans.pop()
    const element = this.open.pop()
    if (element === undefined || this.open.length > 0) return
    this.complete.push(element)
    this.elements = 0
  }

  /** Pieces of one text may come one after the other. */
  text(text: string): void {
    if (this.unread > 0) return
    const element = this.open[this.open.length - 1]
    if (element !== undefined) element.text += text
  }

  /** The root of a document, or an item right under the root of a pool. GROUP_POOL has QUOTAS beside its GROUPs. */
  private begins(name: string): boolean {
    return this.items === undefined ? this.depth === 1 : this.depth === 2 && this.items.includes(name)
  }
}
