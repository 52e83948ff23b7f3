/**
 * The outer layer: `<methodResponse>` with the array or the fault in it. saxes reads its markup, piece by piece up to each `>`; as
 * soon as a `<string>` opens, what follows goes through `EscapedText` to whoever wants it, until the next `<`.
 */
import { StringDecoder } from "node:string_decoder"
import { SaxesParser } from "saxes"
import { MalformedAnswer } from "../errors.js"
import { EscapedText, type TextSink } from "./escapedText.js"

const list = "/methodResponse/params/param/value/array/data"
const fault = "/methodResponse/fault/value/struct"
const scalars: ReadonlySet<string> = new Set(["boolean", "i4", "int", "i8", "string"])

/** Every element that an answer may consist of; a scalar's own element is replaced by `*`. */
const known: ReadonlySet<string> = new Set([
  ...[
    "/methodResponse",
    "/methodResponse/params",
    "/methodResponse/params/param",
    "/methodResponse/params/param/value"
  ],
  ...["/methodResponse/params/param/value/array", list, `${list}/value`, `${list}/value/*`],
  ...["/methodResponse/fault", "/methodResponse/fault/value", fault],
  ...[`${fault}/member`, `${fault}/member/name`, `${fault}/member/value`, `${fault}/member/value/*`]
])

/** The markup of an envelope is under 1 kB: a limit on it stops endless comments and document types. */
const mostMarkupBytes = 16_384

const greaterThan = 0x3e
const slash = 0x2f
const carriageReturn = 0x0d
const cdataStart = Buffer.from("![CDATA[")
const cdataEnd = Buffer.from("]]>")

export interface EnvelopeListener {
  /** The text of the string that is `index`th in the array (or in the fault: -1) begins: where its pieces go. */
  readonly string: (index: number) => TextSink
  /** A value of the array is complete. `text` is empty for a string: its pieces were heard before. */
  readonly value: (index: number, type: string, text: string) => void
  readonly faultCode: (code: string) => void
}

type Mode = "markup" | "string" | "after-less-than" | "cdata"

export class Envelope {
  private readonly parser = new SaxesParser({ position: false })
  private readonly markup = new StringDecoder("utf8")
  private markupBytes = 0
  private mode: Mode = "markup"
  private path = ""
  private text = ""
  private index = -1
  private member = ""
  private complete = false
  private string: EscapedText | undefined
  /** Bytes that begin something whose end is in the next chunk: `<![CDA`, or `]]` in a CDATA section. */
  private pending: Buffer = Buffer.alloc(0)

  constructor(private readonly listener: EnvelopeListener) {
    const { parser } = this
    parser.on("doctype", () => {
      throw new MalformedAnswer({ reason: "it has a DOCTYPE" })
    })
    parser.on("xmldecl", ({ encoding }) => {
      if (encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(encoding)) {
        throw new MalformedAnswer({ reason: "it is not in UTF-8" })
      }
    })
    parser.on("opentag", (tag) => this.onOpen(tag.name, tag.isSelfClosing))
    parser.on("closetag", (tag) => this.onClose(tag.name))
    parser.on("text", (text) => {
      this.text += text
    })
    parser.on("cdata", (text) => {
      this.text += text
    })
  }

  write(bytes: Buffer): void {
    const chunk = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes])
    this.pending = Buffer.alloc(0)
    let at = 0
    while (at < chunk.length) at = this.step(chunk, at)
  }

  /** Throws if the answer is not complete. */
  end(): void {
    if (this.mode !== "markup" || !this.complete) throw new MalformedAnswer({ reason: "it ends too early" })
    this.parser.close()
  }

  private step(chunk: Buffer, at: number): number {
    switch (this.mode) {
      case "markup":
        return this.readMarkup(chunk, at)
      case "string": {
        const stopped = this.string?.write(chunk, at) ?? at
        if (stopped === chunk.length) return stopped
        this.mode = "after-less-than"
        return stopped + 1
      }
      case "after-less-than":
        return this.readAfterLessThan(chunk, at)
      case "cdata":
        return this.readCdata(chunk, at)
    }
  }

  private readMarkup(chunk: Buffer, at: number): number {
    const found = chunk.indexOf(greaterThan, at)
    const end = found === -1 ? chunk.length : found + 1
    this.markupBytes += end - at
    if (this.markupBytes > mostMarkupBytes) throw new MalformedAnswer({ reason: "its envelope is too long" })
    this.parser.write(this.markup.write(chunk.subarray(at, end)))
    return end
  }

  private readAfterLessThan(chunk: Buffer, at: number): number {
    if (chunk[at] === slash) {
      this.string?.end()
      this.string = undefined
      this.mode = "markup"
      this.parser.write("<")
      return at
    }
    const begin = chunk.subarray(at, at + cdataStart.length)
    if (!begin.equals(cdataStart.subarray(0, begin.length))) {
      throw new MalformedAnswer({ reason: "markup inside a string" })
    }
    if (begin.length < cdataStart.length) {
      this.pending = Buffer.from(begin)
      return chunk.length
    }
    this.mode = "cdata"
    return at + cdataStart.length
  }

  private readCdata(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(cdataEnd, at)
    if (end !== -1) {
      this.string?.writeVerbatim(chunk.subarray(at, end))
      this.mode = "string"
      return end + cdataEnd.length
    }
    // Held back: what may be the beginning of the section's end, and a carriage return before it, which belongs to its line feed.
    const beforeEnd = Math.max(at, chunk.length - cdataEnd.length)
    const sure = beforeEnd > at && chunk[beforeEnd - 1] === carriageReturn ? beforeEnd - 1 : beforeEnd
    this.string?.writeVerbatim(chunk.subarray(at, sure))
    this.pending = Buffer.from(chunk.subarray(sure))
    return chunk.length
  }

  private onOpen(name: string, isSelfClosing: boolean): void {
    this.expectNoText()
    this.path += `/${scalars.has(name) ? "*" : name}`
    if (this.complete || !known.has(this.path)) throw new MalformedAnswer({ reason: "an element that no answer has" })
    if (this.path === `${list}/value`) this.index += 1
    if (name !== "string") return
    const sink = this.listener.string(this.index)
    if (isSelfClosing) return
    this.string = new EscapedText(sink)
    this.mode = "string"
  }

  private onClose(name: string): void {
    const { path } = this
    if (path === `${list}/value/*`) this.listener.value(this.index, name, this.takeText())
    else if (path === `${fault}/member/name`) this.member = this.takeText()
    else if (path === `${fault}/member/value/*`) this.closeMember(this.takeText())
    else this.expectNoText()
    if (path === list || path === fault) this.complete = true
    this.path = path.slice(0, path.lastIndexOf("/"))
  }

  private closeMember(text: string): void {
    if (this.member === "faultCode") this.listener.faultCode(text)
    else if (this.member !== "faultString") throw new MalformedAnswer({ reason: "a fault with an unknown member" })
  }

  private takeText(): string {
    const text = this.text
    this.text = ""
    return text
  }

  private expectNoText(): void {
    if (this.takeText().trim() !== "") throw new MalformedAnswer({ reason: "text between elements" })
  }
}
