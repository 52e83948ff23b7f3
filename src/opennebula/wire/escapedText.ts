/**
 * The text inside a `<string>`: up to hundreds of megabytes, and the only part of an answer that is long. It is unescaped here
 * on its bytes, as a general parser would keep the whole text until its end (saxes does) and takes several times as long.
 */
import { MalformedAnswer } from "../errors.js"
import { referredTo } from "./characters.js"

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
const del = 0x7f

/** 1: stands for itself. 0: `&`, `<` and control characters. */
const isOrdinary = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= space && byte !== ampersand && byte !== lessThan ? 1 : 0
)

/** `&#x10FFFF;` */
const longestReference = 10

/** What `&...;` stands for, between the two. */
const resolve = (reference: string): string => {
  const character = referredTo(reference)
  if (character === undefined) throw new MalformedAnswer({ reason: "an entity that XML does not have" })
  return character
}

/**
 * Others than these three XML forbids, and the front-end writes them as they are (source: xmlrpc-c, xmlrpc_serialize.c, `escape_string`): what a
 * driver or a guest has said. One tenant's bad byte must not hide a pool, so it is what xmlrpc-c makes of it in a fault.
 */
const controlCharacter = (byte: number): number => {
  if (byte === carriageReturn) return lineFeed
  return byte === tab || byte === lineFeed ? byte : del
}

/** Takes a text piece by piece, in UTF-8, cut anywhere; the bytes are its own only while it is being called. */
export interface TextSink {
  readonly write: (bytes: Buffer) => void
  readonly end: () => void
}

export class EscapedText {
  private scratch = Buffer.allocUnsafe(0)
  /** The beginning of a character reference at the end of the last chunk. */
  private pending: Buffer = Buffer.alloc(0)
  private afterCarriageReturn = false

  constructor(private readonly sink: TextSink) {}

  /** Takes the text from `start` on, and answers where it stopped: at a `<`, or at the end of the chunk. */
  write(chunk: Buffer, start: number): number {
    const from = this.pending.length === 0 ? start : this.completePending(chunk, start)
    return this.pending.length === 0 ? this.unescape(chunk, from) : from
  }

  /** The text of a CDATA section: as it stands, but for line ends. */
  writeVerbatim(bytes: Buffer): void {
    const isAsItStands = !bytes.includes(carriageReturn)
    this.sink.write(isAsItStands ? bytes : Buffer.from(bytes.toString("latin1").replace(/\r\n?/g, "\n"), "latin1"))
  }

  end(): void {
    if (this.pending.length > 0) throw new MalformedAnswer({ reason: "a character reference without an end" })
    this.sink.end()
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
    const { length } = chunk
    let written = 0
    let at = start
    /** Where the line feed would stand that belongs to a carriage return. */
    let ofReturn = this.afterCarriageReturn ? start : -1
    for (;;) {
      let byte = 0
      // Every byte of an answer passes here: a table and locals, nothing that has to be compared or remembered.
      while (at < length) {
        byte = chunk[at] ?? 0
        if (isOrdinary[byte] === 0) break
        out[written++] = byte
        at += 1
      }
      if (at === length || byte === lessThan) break
      if (byte === ampersand) {
        if (at + 3 < length && chunk[at + 3] === semicolon && chunk[at + 2] === letterT) {
          // `&lt;` and `&gt;`, nearly all of a document's references.
          const first = chunk[at + 1]
          if (first === letterL || first === letterG) {
            out[written++] = first === letterL ? lessThan : greaterThan
            at += 4
            continue
          }
        }
        const end = this.endOfReference(chunk, at)
        if (end === -1) {
          at = length
          break
        }
        written += out.write(resolve(chunk.toString("latin1", at + 1, end)), written, "utf8")
        at = end + 1
      } else {
        // A carriage return alone or with its line feed is one line feed (XML 1.0, 2.11).
        if (byte !== lineFeed || at !== ofReturn) out[written++] = controlCharacter(byte)
        at += 1
        if (byte === carriageReturn) ofReturn = at
      }
    }
    this.afterCarriageReturn = at === ofReturn
    if (written > 0) this.sink.write(out.subarray(0, written))
    return at
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
