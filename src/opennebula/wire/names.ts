/**
 * Names of elements: there are few, some hundred in all, and they come by the million. Each is kept once, and found again by its bytes, so that no
 * string is made of it a second time, and comparing two of them is comparing two references.
 */

interface Name {
  readonly bytes: Uint8Array
  readonly text: string
}

/** A power of two. */
const places = 8_192
/** What is beyond was made up by somebody, and is made anew each time. */
const mostNames = 4_000

/** As V8 keeps the names of properties: the same string for the same letters, however often it is made. */
const interned = (text: string): string => Object.keys({ [text]: true })[0] ?? text

const known: Array<Name | undefined> = Array.from({ length: places }, () => undefined)
let count = 0

/** What `hash` begins with, and what one more byte makes of it. */
export const emptyHash = 0
export const hashed = (hash: number, byte: number): number => (Math.imul(hash, 31) + byte) | 0

const isAt = ({ bytes }: Name, buffer: Uint8Array, start: number, end: number): boolean => {
  if (bytes.length !== end - start) return false
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== buffer[start + at]) return false
  return true
}

/** The name that stands in ASCII between `start` and `end`; `hash` is that of its bytes. */
export const nameIn = (buffer: Buffer, start: number, end: number, hash: number): string => {
  let place = (hash ^ (hash >>> 13)) & (places - 1)
  for (let name = known[place]; name !== undefined; name = known[place]) {
    if (isAt(name, buffer, start, end)) return name.text
    place = (place + 1) & (places - 1)
  }
  const text = buffer.toString("latin1", start, end)
  if (count >= mostNames) return text
  count += 1
  const own = interned(text)
  known[place] = { bytes: Uint8Array.from(buffer.subarray(start, end)), text: own }
  return own
}
