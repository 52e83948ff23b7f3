/**
 * The inner layer: the XML document that came escaped inside a `<string>`, read as its bytes arrive.
 *
 * All that OpenNebula writes is read by a scanner that knows only that much XML, `QuickReader`. At the first byte it is not sure of, it stops, and
 * saxes, which knows all of it, reads the rest: an attribute, a comment, a name in Cyrillic, or what is not well-formed, which is for saxes to
 * refuse. So the scanner refuses nothing and decides nothing that saxes would decide otherwise, but for a name that begins with a digit.
 */
import type { Reads, XmlElement } from "./answer.js"
import { GeneralReader } from "./general.js"
import { QuickReader } from "./quick.js"
import { Tree } from "./tree.js"

const nothing = Buffer.alloc(0)

export class DocumentReader {
  private readonly tree: Tree
  private readonly quick: QuickReader
  private general: GeneralReader | undefined
  /** What the scanner could not read to its end: the beginning of a tag, of a reference, of a character. */
  private pending: Buffer = nothing

  /** See `Tree`. `quickly`: false is for tests that compare. */
  constructor(items?: ReadonlyArray<string>, reads: Reads | true = true, quickly = true) {
    this.tree = new Tree(items, reads)
    this.quick = new QuickReader(this.tree)
    if (!quickly) this.general = new GeneralReader(this.tree, "")
  }

  /** Keeps nothing of `bytes`. */
  write(bytes: Buffer): void {
    if (this.general !== undefined) {
      this.general.write(bytes)
      return
    }
    const all = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes])
    const taken = this.quick.read(all)
    if (this.quick.isSure) this.pending = taken === all.length ? nothing : Buffer.from(all.subarray(taken))
    else this.goOn().write(all.subarray(taken))
  }

  /** Throws if the document is not complete. */
  end(): void {
    if (this.general === undefined && this.quick.isComplete && this.pending.length === 0) return
    this.goOn().end()
  }

  /** What became complete since the last time. */
  take(): ReadonlyArray<XmlElement> {
    return this.tree.take()
  }

  private goOn(): GeneralReader {
    if (this.general !== undefined) return this.general
    this.general = new GeneralReader(this.tree, this.quick.before)
    if (this.quick.isSure) this.general.write(this.pending)
    return this.general
  }
}
