/**
 * What an OpenNebula template says: a list of attributes, in order, in which a name may come several times (`NIC`,
 * `DISK`, `RULE`).
 *
 * `{ _tag: "Single", name: "CPU", value: "1" }` is `CPU="1"`,
 * `{ _tag: "Vector", name: "NIC", values: { NETWORK_ID: "1" } }` is `NIC=[NETWORK_ID="1"]`.
 * OpenNebula 7.4 keeps every name in upper case, so `single` and `vector` write them so.
 */
import { Option } from "effect"
import type { XmlElement } from "../wire/answer.js"

export interface Single {
  readonly _tag: "Single"
  readonly name: string
  readonly value: string
}

export interface Vector {
  readonly _tag: "Vector"
  readonly name: string
  readonly values: Readonly<Record<string, string>>
}

export type Attribute = Single | Vector
export type Template = ReadonlyArray<Attribute>

/** What a value may be given as: a number becomes its decimal text, a boolean OpenNebula's YES or NO. */
export type Value = string | number | boolean

const asText = (value: Value): string =>
  typeof value === "boolean" ? (value ? "YES" : "NO") : typeof value === "number" ? decimal(value) : value

/** Without exponents, which OpenNebula's own number parser would read in part only ("1e21" as 1). */
const decimal = (value: number): string =>
  Number.isFinite(value) && /e/i.test(String(value))
    ? value.toLocaleString("en-US", { useGrouping: false })
    : String(value)

/** `NAME="value"` */
export const single = (name: string, value: Value): Single => ({
  _tag: "Single",
  name: name.toUpperCase(),
  value: asText(value)
})

/** `NAME=[KEY="value", ...]`. Keys whose value is `undefined` are left out. */
export const vector = (name: string, values: Readonly<Record<string, Value | undefined>>): Vector => {
  const texts: Record<string, string> = {}
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) texts[key.toUpperCase()] = asText(value)
  }
  return { _tag: "Vector", name: name.toUpperCase(), values: texts }
}

/**
 * A `TEMPLATE` or `USER_TEMPLATE` element, as `*.info` gives it: an element with children is a vector, every other a
 * single one.
 */
export const fromElement = (element: XmlElement): Template =>
  element.children.map((child): Attribute => {
    if (child.children.length === 0) return { _tag: "Single", name: upper(child.name), value: child.text }
    const values: Record<string, string> = {}
    for (const inner of child.children) values[upper(inner.name)] = inner.text
    return { _tag: "Vector", name: upper(child.name), values }
  })

/** Nearly all names are in upper case already, and looking is cheaper than making a new string of each. */
const upper = (name: string): string => (/[^A-Z0-9_]/.test(name) ? name.toUpperCase() : name)

/** The value of the first single attribute of that name. */
export const valueOf = (template: Template, name: string): Option.Option<string> => {
  for (const attribute of template) {
    if (attribute._tag === "Single" && attribute.name === name) return Option.some(attribute.value)
  }
  return Option.none()
}

/** All vectors of that name, in order. */
export const vectorsOf = (template: Template, name: string): ReadonlyArray<Vector> =>
  template
    .filter((attribute) => attribute._tag === "Vector" && attribute.name === name)
    .filter((a) => a._tag === "Vector")

export const without = (template: Template, names: ReadonlyArray<string>): Template =>
  template.filter((attribute) => !names.includes(attribute.name))
