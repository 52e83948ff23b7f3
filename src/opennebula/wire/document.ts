/**
 * The inner layer: the XML document that came escaped inside a `<string>`, parsed by saxes as its text arrives.
 *
 * A document becomes one tree. Of a pool only the item that is being read is held: each is handed over when it is complete.
 */
import { SaxesParser } from "saxes"
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

/**
 * Names of elements, each kept once: there are few, and a name that the parser has cut out of its text keeps the whole of that text, and is
 * compared letter by letter.
 */
const names = new Map<string, string>()
/** What is beyond was made up by somebody. */
const mostNames = 4_000

/** The same text, by itself: what is cut out of a longer one is V8's reference to that. */
const byItself = (text: string): string => Buffer.from(text, "utf16le").toString("utf16le")

/** Shorter ones V8 copies by itself. A longer one that is kept would keep 64 kB of the answer: of a pool, all of it. */
const shortestCut = 13

const nameOf = (name: string): string => {
  const known = names.get(name)
  if (known !== undefined) return known
  const own = byItself(name)
  if (names.size < mostNames) names.set(own, own)
  return own
}

const append = (parent: GrowingElement | undefined, child: GrowingElement): void => {
  if (parent === undefined) return
  if (parent.children === noChildren) parent.children = [child]
  else parent.children.push(child)
}

export class DocumentReader {
  private readonly parser = new SaxesParser({ position: false })
  /** Elements that are open and wanted. */
  private readonly open: Array<GrowingElement> = []
  /** What is read of each of those. */
  private readonly openReads: Array<Reads | true> = []
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
    private readonly items?: ReadonlyArray<string>,
    private readonly reads: Reads | true = true
  ) {
    const { parser } = this
    parser.on("doctype", () => {
      throw new MalformedAnswer({ reason: "the document has a DOCTYPE" })
    })
    parser.on("opentag", (tag) => this.onOpen(tag.name))
    parser.on("closetag", () => this.onClose())
    parser.on("text", (text) => this.onText(text))
    parser.on("cdata", (text) => this.onText(text))
  }

  write(text: string): void {
    this.parser.write(text)
  }

  /** Throws if the document is not complete. */
  end(): void {
    this.parser.close()
  }

  /** What became complete since the last time. */
  take(): ReadonlyArray<XmlElement> {
    if (this.complete.length === 0) return this.complete
    const taken = this.complete
    this.complete = []
    return taken
  }

  private onOpen(name: string): void {
    this.depth += 1
    if (this.depth > deepestNesting) {
      throw new MalformedAnswer({ reason: `the document nests deeper than ${deepestNesting} elements` })
    }
    if (this.unread > 0) {
      this.unread += 1
      return
    }
    const parent = this.open.at(-1)
    if (parent === undefined && !this.begins(name)) return
    const around = this.openReads.at(-1)
    const reads = around === undefined ? this.reads : around === true || around[name]
    if (reads === undefined) {
      this.unread = 1
      return
    }
    this.elements += 1
    if (this.elements > mostElements) {
      throw new MalformedAnswer({ reason: `the document has more than ${mostElements} elements` })
    }
    const element: GrowingElement = { name: nameOf(name), text: "", children: noChildren }
    append(parent, element)
    this.open.push(element)
    this.openReads.push(reads)
  }

  /** The root of a document, or an item right under the root of a pool. GROUP_POOL has QUOTAS beside its GROUPs. */
  private begins(name: string): boolean {
    return this.items === undefined ? this.depth === 1 : this.depth === 2 && this.items.includes(name)
  }

  private onClose(): void {
    this.depth -= 1
    if (this.unread > 0) {
      this.unread -= 1
      return
    }
    this.openReads.pop()
    const element = this.open.pop()
    if (element === undefined) return
    if (element.text.length >= shortestCut) element.text = byItself(element.text)
    if (this.open.length > 0) return
    this.complete.push(element)
    this.elements = 0
  }

  private onText(text: string): void {
    if (this.unread > 0) return
    const element = this.open.at(-1)
    if (element !== undefined) element.text += text
  }
}
