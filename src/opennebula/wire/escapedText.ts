/**
 * The text inside a `<string>`: up to hundreds of megabytes, and the only part of an answer that is long. It is unescaped here
 * on its bytes, as a general parser would keep the whole text until its end (saxes does) and takes several times as long.
 */
import { StringDecoder } from "node:string_decoder"
import { MalformedAnswer } from "../errors.js"

const lessThan = 0x3c
const greaterThan = 0x3e
const letterG = 0x67
const letterL = 0x6c
const letterT = 0x74
const ampersand = 0x26
const semicolon = 0x3b
const carriageReturn = 0x0d
const lineFeed = 0x0a
const tab = 0x09
const space = 0x20
const lastAscii = 0x7f

/** `&#x10FFFF;` */
const longestReference = 10

const named: ReadonlyMap<string, number> = new Map([
  ["lt", 0x3c],
  ["gt", 0x3e],
  ["amp", 0x26],
  ["quot", 0x22],
  ["apos", 0x27]
])

const isXmlCharacter = (code: number): boolean =>
  code === tab ||
  code === lineFeed ||
  code === carriageReturn ||
  (code >= space && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x10000 && code <= 0x10ffff)

/** `lt`, `#38`, `#x0d`: what stands between `&` and `;`. There are no other entities, as there is no DOCTYPE. */
const resolve = (reference: string): number => {
  const numeric = /^#(?:x([0-9a-fA-F]+)|([0-9]+))$/.exec(reference)
  const code =
    numeric === null
      ? named.get(reference)
      : Number.parseInt(numeric[1] ?? numeric[2] ?? "", numeric[1] === undefined ? 10 : 16)
  if (code === undefined || !isXmlCharacter(code))
    throw new MalformedAnswer({ reason: "an entity that XML does not have" })
  return code
}

const controlCharacter = (byte: number): number => {
  if (byte === carriageReturn) return lineFeed
  if (byte === tab || byte === lineFeed) return byte
  throw new MalformedAnswer({ reason: "a control character" })
}

export class EscapedText {
  /** Joins characters that were split between two chunks. What is no UTF-8 becomes U+FFFD: one tenant's bad byte must not hide a pool. */
  private readonly decoder = new StringDecoder("utf8")
  private scratch = Buffer.allocUnsafe(0)
  /** The beginning of a character reference at the end of the last chunk. */
  private pending: Buffer = Buffer.alloc(0)
  private afterCarriageReturn = false
  /** Whether `decoder` may hold the beginning of a character. */
  private split = false

  constructor(private readonly sink: (text: string) => void) {}

  /** Takes the text from `start` on, and answers where it stopped: at a `<`, or at the end of the chunk. */
  write(chunk: Buffer, start: number): number {
    const from = this.pending.length === 0 ? start : this.completePending(chunk, start)
    return this.pending.length === 0 ? this.unescape(chunk, from) : from
  }

  /** The text of a CDATA section: as it stands, but for line ends. */
  writeVerbatim(bytes: Buffer): void {
    this.split = true
    const text = this.decoder.write(bytes)
    if (text !== "") this.sink(text.replace(/\r\n?/g, "\n"))
  }

  end(): void {
    if (this.pending.length > 0) throw new MalformedAnswer({ reason: "a character reference without an end" })
    const rest = this.decoder.end()
    if (rest !== "") this.sink(rest)
  }

  private completePending(chunk: Buffer, start: number): number {
    const end = chunk.indexOf(semicolon, start)
    const taken = end === -1 ? chunk.length : end + 1
    const reference = Buffer.concat([this.pending, chunk.subarray(start, Math.min(taken, start + longestReference))])
    this.pending = Buffer.alloc(0)
    if (reference.at(-1) === semicolon || reference.length >= longestReference) this.unescape(reference, 0)
    else this.pending = reference
    return taken
  }

  private unescape(chunk: Buffer, start: number): number {
    if (this.scratch.length < chunk.length) this.scratch = Buffer.allocUnsafe(chunk.length)
    const out = this.scratch
    // Locals in the loop over every byte of an answer: fields would cost a third of its speed.
    let afterCarriageReturn = this.afterCarriageReturn
    let written = 0
    let bits = 0
    let at = start
    while (at < chunk.length) {
      const byte = chunk[at] ?? 0
      if (byte >= space && byte !== ampersand && byte !== lessThan) {
        out[written++] = byte
        bits |= byte
        afterCarriageReturn = false
        at += 1
      } else if (byte === ampersand) {
        afterCarriageReturn = false
        const isTag = chunk[at + 3] === semicolon && chunk[at + 2] === letterT
        if (isTag && (chunk[at + 1] === letterL || chunk[at + 1] === letterG)) {
          // `&lt;` and `&gt;`, nearly all of a document's references.
          out[written++] = chunk[at + 1] === letterL ? lessThan : greaterThan
          at += 4
          continue
        }
        const end = this.endOfReference(chunk, at)
        if (end === -1) {
          at = chunk.length
          break
        }
        const code = resolve(chunk.toString("latin1", at + 1, end))
        written += out.write(String.fromCodePoint(code), written, "utf8")
        bits |= code
        at = end + 1
      } else if (byte === lessThan) {
        break
      } else {
        // A carriage return alone or with its line feed is one line feed (XML 1.0, 2.11).
        if (byte !== lineFeed || !afterCarriageReturn) out[written++] = controlCharacter(byte)
        afterCarriageReturn = byte === carriageReturn
        at += 1
      }
    }
    this.afterCarriageReturn = afterCarriageReturn
    if (written > 0) this.give(out, written, bits <= lastAscii)
    return at
  }

  /** ASCII, nearly all there is, needs no decoding: a third less time for it. */
  private give(out: Buffer, written: number, isAscii: boolean): void {
    if (isAscii && !this.split) {
      this.sink(out.toString("latin1", 0, written))
      return
    }
    const text = this.decoder.write(out.subarray(0, written))
    this.split = (out[written - 1] ?? 0) > lastAscii
    if (text !== "") this.sink(text)
  }

  /** Where the `;` is, or -1 if the chunk ends before it: then what there is of the reference is kept for the next chunk. */
  private endOfReference(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(semicolon, at)
    if ((end === -1 ? chunk.length : end) - at >= longestReference) {
      throw new MalformedAnswer({ reason: "an ampersand that begins no reference" })
    }
    if (end === -1) this.pending = Buffer.from(chunk.subarray(at))
    return end
  }
}
