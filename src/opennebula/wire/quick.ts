/**
 * A scanner for the XML that OpenNebula writes, and for no other: elements without attributes, text, references to single characters, CDATA sections
 * (every answer that was recorded is that). A pool of ten thousand machines is 36 MB with 1.7 million elements, of which a third is read; a general
 * parser makes a string of every name and an object of every tag, and took half the time of the whole decoding. This one looks at bytes, and
 * makes a string only of what is read.
 *
 * It is strict by knowing its limits: at the first byte of anything else it stops, `isSure` turns false, and `before` says where it is. It never
 * refuses, so it need not know what XML forbids; it only has to know for sure what it does read. `document.test.ts` holds it against saxes, which
 * would refuse one thing that it reads: a name that begins with a digit.
 */
import { referredTo } from "./characters.js"
import { emptyHash, hashed, nameIn } from "./names.js"
import { deepestNesting, type Tree } from "./tree.js"

const lessThan = 0x3c
const greaterThan = 0x3e
const slash = 0x2f
const exclamation = 0x21
const bracket = 0x5d
const carriageReturn = 0x0d
const ampersand = 0x26
const semicolon = 0x3b

/** What a byte means in text; ordinary ones mean nothing. Bits, so that a whole text's are collected while it is gone through. */
const meaning = { tag: 1, reference: 2, lineEnd: 4, bracket: 8, greater: 16, notAscii: 32, forbidden: 64 } as const
const meanings = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === lessThan) return meaning.tag
  if (byte === ampersand) return meaning.reference
  if (byte === carriageReturn) return meaning.lineEnd
  if (byte === bracket) return meaning.bracket
  if (byte === greaterThan) return meaning.greater
  if (byte >= 0x80) return meaning.notAscii
  return byte < 0x20 && byte !== 0x09 && byte !== 0x0a ? meaning.forbidden : 0
})
/** Of these, what means something in a CDATA section too. */
const inSection = meaning.lineEnd | meaning.notAscii | meaning.forbidden

/**
 * 2: a name may begin with it; 1: it may follow. Beyond ASCII there are more, which are saxes' to know. In XML none begins with a digit; but
 * OpenNebula writes the names inside a vector as they were given, and `A=[1="x"]` is one (source: template_parser.l; Attribute.cc,
 * `VectorAttribute::to_xml`). Any tenant may give that to a machine or an account, which must not hide the pool.
 */
const nameBytes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return /[A-Za-z0-9_:]/.test(character) ? 2 : /[.-]/.test(character) ? 1 : 0
})

const sectionStart = Buffer.from("<![CDATA[")
const sectionEnd = Buffer.from("]]>")
/** OpenNebula's names are under 40 characters. */
const longestTag = 256
/** `&#x10FFFF;` */
const longestReference = 10

export class QuickReader {
  /** False: it has stopped before something that it does not know. */
  isSure = true
  /** The names of the elements that are open, one after the other, and where each begins. */
  private readonly openNames = Buffer.alloc(longestTag * (deepestNesting + 1))
  private readonly starts: Array<number> = []
  private namesEnd = 0
  private rootClosed = false
  private isInSection = false

  constructor(private readonly tree: Tree) {}

  /** Nothing is missing. */
  get isComplete(): boolean {
    return this.isSure && this.rootClosed && !this.isInSection
  }

  /** The shortest beginning of a document after which a parser is where this one is. */
  get before(): string {
    if (this.rootClosed) return "<A/>"
    const names = this.starts.map((start, at) =>
      this.openNames.toString("latin1", start, this.starts[at + 1] ?? this.namesEnd)
    )
    return names.map((name) => `<${name}>`).join("") + (this.isInSection ? "<![CDATA[" : "")
  }

  /**
   * Reads what it can, and says how far it came: to the end, to something that is not complete, or to something that it does not know.
   */
  read(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length) {
      const next = this.isInSection
        ? this.readSection(bytes, at)
        : bytes[at] === lessThan
          ? this.readTag(bytes, at)
          : this.readText(bytes, at)
      if (next === at) break
      at = next
    }
    return at
  }

  private stop(at: number): number {
    this.isSure = false
    return at
  }

  private readTag(bytes: Buffer, from: number): number {
    const second = bytes[from + 1]
    if (second === slash) return this.readClosing(bytes, from)
    if (second === exclamation) return this.readSectionStart(bytes, from)
    if (this.rootClosed) return this.stop(from)
    const { openNames } = this
    const { length } = bytes
    const start = this.namesEnd
    let end = start
    let hash: number = emptyHash
    let at = from + 1
    // A name that is longer than any ends this by its last place being taken.
    const longest = Math.min(length, from + longestTag)
    for (; at < longest; at++) {
      const byte = bytes[at] ?? 0
      if (nameBytes[byte] === 0) break
      openNames[end++] = byte
      hash = hashed(hash, byte)
    }
    if (at === from + longestTag) return this.stop(from)
    if (end > start && (nameBytes[openNames[start] ?? 0] ?? 0) < 2) return this.stop(from)
    if (at === length) return from
    const isEmpty = bytes[at] === slash
    if (isEmpty) {
      at += 1
      if (at === length) return from
    }
    if (end === start || bytes[at] !== greaterThan) return this.stop(from)
    this.tree.opens(this.tree.asksForNames ? nameIn(openNames, start, end, hash) : "")
    if (isEmpty) this.close()
    else {
      this.starts.push(start)
      this.namesEnd = end
    }
    return at + 1
  }

  private readClosing(bytes: Buffer, from: number): number {
    const { openNames, starts, namesEnd } = this
    const start = starts[starts.length - 1]
    if (start === undefined) return this.stop(from)
    const { length } = bytes
    let at = from + 2
    for (let of = start; of < namesEnd; of++) {
      if (at === length) return from
      if (bytes[at] !== openNames[of]) return this.stop(from)
      at += 1
    }
    if (at === length) return from
    if (bytes[at] !== greaterThan) return this.stop(from)
    starts.pop()
    this.namesEnd = start
    this.close()
    return at + 1
  }

  private close(): void {
    this.tree.closes()
    if (this.starts.length === 0) this.rootClosed = true
  }

  private readSectionStart(bytes: Buffer, from: number): number {
    if (this.starts.length === 0) return this.stop(from)
    for (let at = 2; at < sectionStart.length; at++) {
      if (from + at === bytes.length) return from
      if (bytes[from + at] !== sectionStart[at]) return this.stop(from)
    }
    this.isInSection = true
    return from + sectionStart.length
  }

  private readSection(bytes: Buffer, from: number): number {
    const { length } = bytes
    let seen = 0
    let at = from
    for (; at < length; at++) {
      const what = meanings[bytes[at] ?? 0] ?? 0
      if (what === meaning.bracket) {
        if (at + 1 < length && bytes[at + 1] !== bracket) continue
        if (at + 2 >= length || bytes[at + 2] === greaterThan) break
      }
      seen |= what
    }
    const isWhole = at + 2 < length
    const end = isWhole ? at : this.sureEnd(bytes, from, at)
    if (end > from && !this.take(bytes, from, end, seen & inSection)) return this.stop(from)
    if (!isWhole) return end
    this.isInSection = false
    return at + sectionEnd.length
  }

  private readText(bytes: Buffer, from: number): number {
    if (this.starts.length === 0) return this.stop(from)
    const { length } = bytes
    let seen = 0
    let at = from
    for (; at < length; at++) {
      const what = meanings[bytes[at] ?? 0] ?? 0
      if (what === meaning.tag) break
      seen |= what
    }
    const end = at < length ? at : this.sureEnd(bytes, from, at)
    const mayEndSection = (seen & meaning.greater) !== 0 && (seen & meaning.bracket) !== 0
    if (mayEndSection && bytes.subarray(from, end).includes(sectionEnd)) return this.stop(from)
    return end === from || this.take(bytes, from, end, seen & (inSection | meaning.reference)) ? end : this.stop(from)
  }

  /**
   * Up to where a text may be taken that ends with the bytes that there are: what comes may belong to its last ones. They are a reference, a
   * carriage return, brackets, or a part of a character.
   */
  private sureEnd(bytes: Buffer, from: number, to: number): number {
    let end = to
    if (!this.isInSection) {
      const reference = bytes.lastIndexOf(ampersand, to)
      const isWhole = reference < Math.max(from, to - longestReference) || bytes.indexOf(semicolon, reference) !== -1
      if (!isWhole) end = reference
      for (let held = 0; held < 2 && end > from && bytes[end - 1] === bracket; held++) end -= 1
    }
    if (end > from && bytes[end - 1] === carriageReturn) end -= 1
    for (let at = end - 1; at >= from && at >= end - 3; at--) {
      const byte = bytes[at] ?? 0
      if (byte >= 0xc0) return at
      if (byte < 0x80) break
    }
    return end
  }

  /** Hands a text over, if it is read; false if it has something in it that is saxes' to judge. `seen`: what is in it beside ordinary ASCII. */
  private take(bytes: Buffer, from: number, end: number, seen: number): boolean {
    if (seen === 0) {
      if (this.tree.asksForText) this.tree.text(bytes.toString("latin1", from, end))
      return true
    }
    if ((seen & meaning.forbidden) !== 0) return false
    const text = unescaped(bytes.toString("utf8", from, end), (seen & meaning.reference) !== 0)
    if (text === undefined) return false
    this.tree.text(text)
    return true
  }
}

/** As XML has it: line ends are line feeds, references are characters. Nothing: it has some that XML has not. */
const unescaped = (raw: string, hasReferences: boolean): string | undefined => {
  if (/[\uFFFE\uFFFF]/.test(raw)) return undefined
  const text = raw.replace(/\r\n?/g, "\n")
  if (!hasReferences) return text
  let isKnown = true
  const resolved = text.replace(/&([^;]*)(;?)/g, (_, reference: string, end: string) => {
    const character = end === "" ? undefined : referredTo(reference)
    if (character === undefined) isKnown = false
    return character ?? ""
  })
  return isKnown ? resolved : undefined
}
