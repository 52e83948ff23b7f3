/**
 * From an XML element to a schema's input. Every model is `fromElement(Struct, pick)`: `pick` says where in the
 * document a field stands, the struct what it must be. Documents only come from OpenNebula, so there is no way back.
 */
import { Either, Option, ParseResult, Schema } from "effect"
import { decodeQuickly } from "../../core/lean/quickly.js"
import { MalformedAnswer } from "../errors.js"
import { type Template, fromElement as templateFromElement } from "../template/template.js"
import type { Answer, Reads, XmlElement } from "../wire/answer.js"

const isElement = (input: unknown): input is XmlElement =>
  typeof input === "object" && input !== null && "name" in input && "text" in input && "children" in input

export const Element: Schema.Schema<XmlElement> = Schema.declare(isElement, { identifier: "XmlElement" })

export const fromElement = <A, I>(
  to: Schema.Schema<A, I>,
  pick: (element: XmlElement) => I
): Schema.Schema<A, XmlElement> =>
  Schema.transformOrFail(Element, to, {
    strict: true,
    decode: (element) => ParseResult.succeed(pick(element)),
    encode: (value, _, ast) =>
      ParseResult.fail(new ParseResult.Forbidden(ast, value, "Documents come from OpenNebula only"))
  })

/** Loops rather than closures, and names rather than lists of them: a pool of ten thousand machines asks some million times. */
const childOf = ({ children }: XmlElement, name: string): XmlElement | undefined => {
  for (const child of children) if (child.name === name) return child
  return undefined
}

/** The first element at that path, if there is one. */
export const find = (element: XmlElement, name: string, inner?: string, innermost?: string): XmlElement | undefined => {
  const first = childOf(element, name)
  const second = first === undefined || inner === undefined ? first : childOf(first, inner)
  return second === undefined || innermost === undefined ? second : childOf(second, innermost)
}

/** The text at that path; empty if it is not there, which a number's schema then refuses by name. */
export const text = (element: XmlElement, name: string, inner?: string, innermost?: string): string =>
  find(element, name, inner, innermost)?.text ?? ""

/** All elements of a name, below the first at that path. */
export const all = (
  element: XmlElement,
  path: string | readonly [string, string],
  name: string
): ReadonlyArray<XmlElement> => {
  const parent = typeof path === "string" ? childOf(element, path) : find(element, ...path)
  return parent === undefined ? [] : parent.children.filter((child) => child.name === name)
}

/** The texts of `<X><ID>1</ID><ID>2</ID></X>`. */
export const ids = (element: XmlElement, name: string): ReadonlyArray<string> =>
  all(element, name, "ID").map((id) => id.text)

export const template = (element: XmlElement, name = "TEMPLATE"): Template => {
  const found = find(element, name)
  return found === undefined ? [] : templateFromElement(found)
}

/** A whole number as text: an id, a size in MB, a count. */
export const Int = Schema.NumberFromString.pipe(Schema.int())
/** A decimal as text: CPU ("0.5", "1.50"). */
export const Decimal = Schema.NumberFromString.pipe(Schema.finite())
/**
 * A number that stands in a free-form template, where `resize` takes "abc" and "1.5" for memory and cores (recordings
 * 113, 114). Read as OpenNebula reads it: what it begins with counts, else 0. One tenant's odd machine must not make
 * the whole pool unreadable.
 */
const loose = (read: (value: string) => number) =>
  Schema.transform(Schema.String, Schema.Number, {
    strict: true,
    decode: (value) => {
      const number = read(value)
      return Number.isFinite(number) ? number : 0
    },
    encode: String
  })
export const LooseInt = loose((value) => Number.parseInt(value, 10))
export const LooseDecimal = loose(Number.parseFloat)
export const Ids = Schema.Array(Int)
/** Text that is empty when there is none. */
export const OptionalText = Schema.transform(Schema.String, Schema.OptionFromSelf(Schema.String), {
  strict: true,
  decode: (value) => (value === "" ? Option.none() : Option.some(value)),
  encode: Option.getOrElse(() => "")
})
/** An id, if there is one: empty text, -1 and what is no whole number are none. */
export const OptionalInt = Schema.transform(Schema.String, Schema.OptionFromSelf(Schema.Int), {
  strict: true,
  decode: (value) => (/^\d{1,15}$/.test(value) ? Option.some(Number(value)) : Option.none()),
  encode: Option.match({ onNone: () => "", onSome: String })
})
/** "YES", "1" and "true" are yes; all else is no. */
export const Flag = Schema.transform(Schema.String, Schema.Boolean, {
  strict: true,
  decode: (value) => /^(1|yes|true)$/i.test(value),
  encode: (value) => (value ? "1" : "0")
})

/** Our own reading of the element, so there is nothing left to validate: half the time of decoding a VM went there. */
export const TemplateSchema: Schema.Schema<Template> = Schema.declare(
  (input): input is Template => Array.isArray(input),
  { identifier: "Template" }
)

/** "disks.0.size: Expected ...": one issue says enough, and quotes the least of a document. */
const firstIssue = (error: ParseResult.ParseError): string => {
  const issue = ParseResult.ArrayFormatter.formatErrorSync(error)[0]
  return issue === undefined ? "not as expected" : `${issue.path.map(String).join(".")}: ${issue.message}`
}

const decoderOf = <A>(schema: Schema.Schema<A, XmlElement>) => {
  const decode = decodeQuickly(schema)
  return (element: XmlElement): Either.Either<A, MalformedAnswer> =>
    Either.mapLeft(decode(element), (error) => new MalformedAnswer({ reason: `${element.name}: ${firstIssue(error)}` }))
}

/** The answer of an `*.info` call: one document. */
export const documentOf = <A>(schema: Schema.Schema<A, XmlElement>): Answer<A> => ({
  _tag: "Document",
  decode: decoderOf(schema)
})

/**
 * The answer of a `*pool.info` call: items of these names, decoded one by one. `reads`: what `schema` reads of an item, for pools that are long; what
 * it leaves out is as if it were not there. `lacks`: why an item is not what was asked for, though it could be read.
 */
export const poolOf = <A>(
  item: string | ReadonlyArray<string>,
  schema: Schema.Schema<A, XmlElement>,
  reads: Reads | true = true,
  lacks: (item: XmlElement) => string | undefined = () => undefined
): Answer<ReadonlyArray<A>> => {
  const decode = decoderOf(schema)
  return {
    _tag: "Pool",
    items: typeof item === "string" ? [item] : item,
    reads,
    gather: () => {
      const values: Array<A> = []
      return {
        add: (item) => {
          const reason = lacks(item)
          return reason === undefined
            ? Either.map(decode(item), (value) => void values.push(value))
            : Either.left(new MalformedAnswer({ reason }))
        },
        result: () => values
      }
    }
  }
}
