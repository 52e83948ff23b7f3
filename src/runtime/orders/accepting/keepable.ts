/**
 * What of an order is kept: attributes and options go into the journal with the request, and from there into exports. Customers paste
 * things where they do not belong, so what looks like a secret is left out (and reaches no handler), and what is beyond measure is refused.
 */
import { Either } from "effect"
import { withheld } from "../../../core/index.js"

type Attributes = Readonly<Record<string, unknown>>

/** Secrets that a handler may need: it is told that there is one, and reads it from the marketplace. */
const isWithheld = (name: string, value: unknown, depth: number): boolean =>
  depth === 0 && name === "user_data" && value !== null && value !== ""
const secretName = /passw|passphrase|secret|token|credential|private_?key|user_?data/i
const privateKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|PuTTY-User-Key-File/
/** Is refused by whoever wants a public key, as a private one is. */
export const removedKey = "PRIVATE KEY (not kept)"

/** Of JSON. An order that was made by hand has some hundred bytes. */
const longest = 65_536
const deepest = 32

/** Without its secrets; left: one clause on what is wrong with it. */
export const keepable = (attributes: Attributes): Either.Either<Attributes, string> => {
  let size = 0
  const tooLong = "are longer than 64 kB"
  const keep = (value: unknown, depth: number): Either.Either<unknown, string> => {
    if (depth > deepest) return Either.left(`nest deeper than ${deepest} levels`)
    if (typeof value === "string") size += value.length
    size += 8
    if (size > longest) return Either.left(tooLong)
    if (typeof value === "string") return Either.right(privateKey.test(value) ? removedKey : value)
    if (Array.isArray(value)) return Either.all(value.map((item) => keep(item, depth + 1)))
    if (typeof value === "object" && value !== null) return keepRecord(value, depth)
    return Either.right(value)
  }
  const keepRecord = (record: object, depth: number): Either.Either<Attributes, string> => {
    const kept: Array<readonly [string, unknown]> = []
    for (const [name, value] of Object.entries(record)) {
      size += name.length
      if (isWithheld(name, value, depth)) kept.push([name, withheld])
      if (secretName.test(name)) continue
      const inner = keep(value, depth + 1)
      if (Either.isLeft(inner)) return Either.left(inner.left)
      kept.push([name, inner.right])
    }
    return size > longest ? Either.left(tooLong) : Either.right(Object.fromEntries(kept))
  }
  return keepRecord(attributes, 0)
}
