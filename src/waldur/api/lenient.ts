/**
 * Building blocks for reading what Waldur answers.
 *
 * A field whose relation is empty is absent on older servers and null on newer ones; amounts come as numbers or as decimals in
 * strings; a new server may know states that we do not. None of this may lose an order. So every block here reads from `unknown`
 * and says what stands for "nothing"; only what nobody could work without (a uuid, a state) can fail.
 */
import { Option, ParseResult, Schema } from "effect"

/** `decode` of an `unknown` that cannot fail. Answers are never written back, so encoding returns the value as it is. */
const reading = <A, I>(to: Schema.Schema<A, I>, decode: (u: unknown) => I) =>
  Schema.transform(Schema.Unknown, to, { strict: true, decode, encode: (value) => value })

/** Reads `key`, absent or not, with a block that also reads `undefined` and null. */
export const at = <Key extends string, A, I>(key: Key, block: Schema.Schema<A, I>, otherwise: () => A) =>
  Schema.optionalWith(block, { default: otherwise }).pipe(Schema.fromKey(key))

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === "object" && u !== null && !Array.isArray(u)

/** The 32 hexadecimal digits of a uuid, however it was written, or nothing. */
export const uuidOf = (text: string): Option.Option<string> => {
  const digits = text.trim().toLowerCase().replaceAll("-", "")
  return /^[0-9a-f]{32}$/.test(digits) ? Option.some(digits) : Option.none()
}

const asText = (u: unknown): string => (typeof u === "string" ? u : typeof u === "number" ? String(u) : "")
const asOptionalText = (u: unknown): Option.Option<string> => Option.liftPredicate(asText(u), (text) => text !== "")
const asOptionalUuid = (u: unknown): Option.Option<string> => (typeof u === "string" ? uuidOf(u) : Option.none())

/** A finite number, or a decimal in a string. */
export const asNumber = (u: unknown): Option.Option<number> => {
  const value = typeof u === "number" ? u : typeof u === "string" && u.trim() !== "" ? Number(u) : Number.NaN
  return Option.liftPredicate(value, Number.isFinite)
}

const OptionalString = Schema.OptionFromSelf(Schema.String)
const Text = reading(Schema.String, asText)
const OptionalText = reading(OptionalString, asOptionalText)
const OptionalUuid = reading(OptionalString, asOptionalUuid)
const OptionalNumber = reading(Schema.OptionFromSelf(Schema.Number), asNumber)
const Flag = reading(Schema.Boolean, (u) => u === true)
const AnyRecord = Schema.Record({ key: Schema.String, value: Schema.Unknown })
const Attributes = reading(AnyRecord, (u) => (isRecord(u) ? u : {}))

const NumberRecord = Schema.Record({ key: Schema.String, value: Schema.Number })

/** What is not a number is left out: `set_limits` of older servers stores anything (recording 067). */
const LooseAmounts = reading(NumberRecord, (u) =>
  isRecord(u)
    ? Object.fromEntries(
        Object.entries(u).flatMap(([key, value]) =>
          Option.match(asNumber(value), { onNone: () => [], onSome: (amount) => [[key, amount]] })
        )
      )
    : {}
)

/**
 * An order's amounts. What is not a number is kept as one that is none: to leave it out would carry out another order than was placed, and an order that
 * cannot be read is neither refused nor ended. The database takes any JSON there (waldur-mastermind, marketplace/models.py), the API does not.
 */
const OrderedAmounts = reading(NumberRecord, (u) => {
  if (u === undefined || u === null) return {}
  const named = isRecord(u) ? Object.entries(u).filter(([, value]) => value !== null) : [["limits", undefined] as const]
  return Object.fromEntries(named.map(([key, value]) => [key, Option.getOrElse(asNumber(value), () => Number.NaN)]))
})

const RequiredUuid = Schema.transformOrFail(Schema.Unknown, Schema.String, {
  strict: true,
  encode: (value) => ParseResult.succeed(value),
  decode: (u, _options, ast) =>
    Option.match(asOptionalUuid(u), {
      onNone: () => ParseResult.fail(new ParseResult.Type(ast, u, "not a uuid")),
      onSome: ParseResult.succeed
    })
})

/** Absent or null: "". */
export const text = <Key extends string>(key: Key) => at(key, Text, () => "")
/** Absent, null or empty: none. */
export const optionalText = <Key extends string>(key: Key) => at(key, OptionalText, () => Option.none())
/** Absent, null or not a uuid: none. */
export const optionalUuid = <Key extends string>(key: Key) => at(key, OptionalUuid, () => Option.none())
export const optionalNumber = <Key extends string>(key: Key) => at(key, OptionalNumber, () => Option.none())
/** Only `true` is true. */
export const flag = <Key extends string>(key: Key) => at(key, Flag, () => false)
/** Any object; absent, null or anything else: {}. */
export const attributes = <Key extends string>(key: Key) => at(key, Attributes, () => ({}))
export const looseAmounts = <Key extends string>(key: Key) => at(key, LooseAmounts, () => ({}))
export const orderedAmounts = <Key extends string>(key: Key) => at(key, OrderedAmounts, () => ({}))
/** Must be there. */
export const uuid = <Key extends string>(key: Key) => Schema.propertySignature(RequiredUuid).pipe(Schema.fromKey(key))

/** A list of which every item must be readable; absent or null: []. */
export const list = <Key extends string, A, I>(key: Key, item: Schema.Schema<A, I>) =>
  Schema.optionalWith(Schema.Array(item), { default: () => [], nullable: true }).pipe(Schema.fromKey(key))

/** One of the words that we know, or the server's word behind `unknown:`. */
export type Word<Known extends string> = Known | `unknown:${string}`

const wordSchema = <const Known extends ReadonlyArray<string>>(known: Known) => {
  const isKnown = (word: string): word is Known[number] => known.includes(word)
  const isWord = (u: unknown): u is Word<Known[number]> =>
    typeof u === "string" && (isKnown(u) || u.startsWith("unknown:"))
  const Word = Schema.declare(isWord)
  return Schema.transform(Schema.String, Word, {
    strict: true,
    decode: (word): Word<Known[number]> => (isKnown(word) ? word : `unknown:${word}`),
    encode: (word): string => word
  })
}

/** Must be there, as text; a word that we do not know is kept. */
export const word = <Key extends string, const Known extends ReadonlyArray<string>>(key: Key, known: Known) =>
  Schema.propertySignature(wordSchema(known)).pipe(Schema.fromKey(key))
