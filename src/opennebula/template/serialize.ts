/**
 * The one way by which a template becomes text for OpenNebula. No value can break out of its quotes.
 *
 * What the front-end does with it (its template lexer; recordings 032, 041, 048 and many more use this syntax):
 * - A quoted value runs to the *longest* match of `"([^"]|\")*"`. `\"` is a quote; a backslash is otherwise itself,
 *   there is no `\\` and no `\n`. Newlines, brackets, commas, `#`, `=` are themselves inside the quotes.
 * - So exactly one kind of value has no quoted form: one that **ends in a backslash**; its closing quote would read as
 *   `\"` and the value run on into the next attribute. For such a template we use the other syntax that every call
 *   takes, XML (recording 074), with CDATA: the very form in which OpenNebula keeps templates itself.
 * - Why not always XML: text is what operators know from `oned.log` and documents, and what is recorded for every call.
 * - OpenNebula stores values in CDATA without splitting them, hence refuses `]]>`; and XML has no control characters
 *   but tab and newline, no lone surrogates, no U+FFFE and U+FFFF. Those are a `TemplateUnencodable`, which names the
 *   attribute. A carriage return would come back as a newline (XML's own rule), so CRLF and CR are sent as LF: keys and
 *   scripts pasted on Windows keep working.
 */
import { Data, Either } from "effect"
import type { Attribute, Template } from "./template.js"

/** A template that OpenNebula cannot carry. Never holds the value: it may be a secret. */
export class TemplateUnencodable extends Data.TaggedError("TemplateUnencodable")<{
  /** `NAME`, or `NAME/KEY` inside a vector. */
  readonly attribute: string
  readonly reason: string
}> {
  readonly disposition = "fail-order" as const
  get customerMessage(): string {
    return `The value given for ${this.attribute} cannot be used: ${this.reason}.`
  }
  override get message(): string {
    return `OpenNebula cannot carry the template attribute ${this.attribute}: ${this.reason}.`
  }
}

const namePattern = /^[A-Z_][A-Z0-9_]*$/
// What XML 1.0 cannot carry; carriage returns are gone by then.
const forbidden = /[^\t\n\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u

interface Entry {
  readonly path: string
  readonly value: string
}

const entriesOf = (attribute: Attribute): ReadonlyArray<Entry> =>
  attribute._tag === "Single"
    ? [{ path: attribute.name, value: attribute.value }]
    : Object.entries(attribute.values).map(([key, value]) => ({ path: `${attribute.name}/${key}`, value }))

const lineFeeds = (value: string): string => value.replace(/\r\n?/g, "\n")

const problemOf = (attribute: Attribute): TemplateUnencodable | undefined => {
  const names = attribute._tag === "Single" ? [attribute.name] : [attribute.name, ...Object.keys(attribute.values)]
  for (const name of names) {
    if (!namePattern.test(name)) {
      return new TemplateUnencodable({
        attribute: JSON.stringify(name),
        reason: "a name consists of upper case letters, digits and _, and begins with no digit"
      })
    }
  }
  for (const { path, value } of entriesOf(attribute)) {
    const text = lineFeeds(value)
    if (forbidden.test(text)) return new TemplateUnencodable({ attribute: path, reason: "it has a control character" })
    if (text.includes("]]>")) return new TemplateUnencodable({ attribute: path, reason: 'it has the sequence "]]>"' })
  }
  return undefined
}

const quoted = (value: string): string => `"${lineFeeds(value).replaceAll('"', '\\"')}"`

const asText = (attribute: Attribute): string =>
  attribute._tag === "Single"
    ? `${attribute.name}=${quoted(attribute.value)}`
    : `${attribute.name}=[${Object.entries(attribute.values)
        .map(([key, value]) => `${key}=${quoted(value)}`)
        .join(",")}]`

const element = (name: string, value: string): string => `<${name}><![CDATA[${lineFeeds(value)}]]></${name}>`

const asXml = (attribute: Attribute): string =>
  attribute._tag === "Single"
    ? element(attribute.name, attribute.value)
    : `<${attribute.name}>${Object.entries(attribute.values)
        .map(([key, value]) => element(key, value))
        .join("")}</${attribute.name}>`

/** The text to send. An empty template is the empty string, which every call takes as "no attributes". */
export const serialize = (template: Template): Either.Either<string, TemplateUnencodable> => {
  for (const attribute of template) {
    const problem = problemOf(attribute)
    if (problem !== undefined) return Either.left(problem)
  }
  const needsXml = template.some((attribute) => entriesOf(attribute).some(({ value }) => value.endsWith("\\")))
  if (!needsXml) return Either.right(template.map(asText).join("\n"))
  const empty = template.find((attribute) => attribute._tag === "Vector" && Object.keys(attribute.values).length === 0)
  if (empty !== undefined) {
    // In XML OpenNebula drops an element without children, and the attribute would silently not be replaced.
    return Either.left(
      new TemplateUnencodable({ attribute: empty.name, reason: "it is an empty vector beside a trailing backslash" })
    )
  }
  return Either.right(`<TEMPLATE>${template.map(asXml).join("")}</TEMPLATE>`)
}
