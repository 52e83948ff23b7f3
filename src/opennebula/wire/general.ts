/** Any document that is XML, by saxes: what the quick scanner is not sure of. Whether it is well-formed, saxes says. */
import { StringDecoder } from "node:string_decoder"
import { SaxesParser } from "saxes"
import { MalformedAnswer } from "../errors.js"
import type { Tree } from "./tree.js"

/** A text that is kept would keep what it was cut out of: V8's reference into 64 kB of the answer, of a pool all of it. */
const byItself = (text: string): string => Buffer.from(text, "utf16le").toString("utf16le")

export class GeneralReader {
  private readonly parser = new SaxesParser({ position: false })
  /** What is no UTF-8 becomes U+FFFD: one tenant's bad byte must not hide a pool. */
  private readonly decoder = new StringDecoder("utf8")

  /** Goes on in the middle of a document, after `before`: what it says of where we are, the tree knows already. */
  constructor(tree: Tree, before: string) {
    const { parser } = this
    parser.write(before)
    parser.on("doctype", () => {
      throw new MalformedAnswer({ reason: "the document has a DOCTYPE" })
    })
    parser.on("opentag", (tag) => tree.opens(byItself(tag.name)))
    parser.on("closetag", () => tree.closes())
    parser.on("text", (text) => tree.text(byItself(text)))
    parser.on("cdata", (text) => tree.text(byItself(text)))
  }

  write(bytes: Buffer): void {
    this.parser.write(this.decoder.write(bytes))
  }

  /** Throws if the document is not complete. */
  end(): void {
    this.parser.write(this.decoder.end()).close()
  }
}
