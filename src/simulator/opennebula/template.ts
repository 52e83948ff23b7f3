/**
 * OpenNebula templates in memory: single attributes (`CPU="1"`) and vectors (`NIC=[NETWORK_ID="1"]`), several of one name allowed.
 * Names are upper-case; documents list them by name, and those of one name in the order in which they were added.
 */
import { cdata, wrap } from "./xml.js"

export interface Single {
  readonly _tag: "Single"
  readonly name: string
  readonly value: string
}

export interface Vector {
  readonly _tag: "Vector"
  readonly name: string
  readonly values: Map<string, string>
}

export type Attribute = Single | Vector

export const single = (name: string, value: string | number): Single => ({ _tag: "Single", name, value: String(value) })

export const vector = (name: string, values: Record<string, string | number | undefined>): Vector => ({
  _tag: "Vector",
  name,
  values: new Map(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as const]))
  )
})

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const copyAttribute = (attribute: Attribute): Attribute =>
  attribute._tag === "Single" ? attribute : { ...attribute, values: new Map(attribute.values) }

const writeAttribute = (attribute: Attribute): string =>
  attribute._tag === "Single"
    ? cdata(attribute.name, attribute.value)
    : wrap(
        attribute.name,
        [...attribute.values]
          .sort(([a], [b]) => byName(a, b))
          .map(([key, value]) => cdata(key, value))
          .join("")
      )

export class Template {
  /** The last attribute of each name, until something changes: a scheduler asks every machine for its size. */
  private last: Map<string, Attribute> | undefined

  constructor(readonly attributes: Array<Attribute> = []) {}

  get isEmpty(): boolean {
    return this.attributes.length === 0
  }

  /** The value of the last single attribute of that name. */
  get(name: string): string | undefined {
    this.last ??= new Map(this.attributes.map((attribute) => [attribute.name, attribute]))
    const found = this.last.get(name)
    return found?._tag === "Single" ? found.value : undefined
  }

  vectors(name: string): ReadonlyArray<Vector> {
    return this.attributes.filter(
      (attribute): attribute is Vector => attribute._tag === "Vector" && attribute.name === name
    )
  }

  add(...attributes: ReadonlyArray<Attribute>): void {
    this.attributes.push(...attributes)
    this.last = undefined
  }

  /** Takes all attributes of that name out and returns them. */
  remove(name: string): ReadonlyArray<Attribute> {
    const removed = this.attributes.filter((attribute) => attribute.name === name)
    this.keep((attribute) => attribute.name !== name)
    return removed
  }

  keep(wanted: (attribute: Attribute) => boolean): void {
    const kept = this.attributes.filter(wanted)
    this.attributes.splice(0, this.attributes.length, ...kept)
    this.last = undefined
  }

  set(name: string, value: string | number): void {
    this.remove(name)
    this.add(single(name, value))
  }

  /** Attributes of `other` replace those of the same name: what an instantiate's extra template and an appending update do. */
  merge(other: Template): void {
    for (const name of new Set(other.attributes.map((attribute) => attribute.name))) this.remove(name)
    this.add(...other.attributes.map(copyAttribute))
  }

  copy(): Template {
    return new Template(this.attributes.map(copyAttribute))
  }

  /** The attributes as XML, without a surrounding element. */
  toXml(): string {
    return [...this.attributes]
      .sort((a, b) => byName(a.name, b.name))
      .map(writeAttribute)
      .join("")
  }
}
