/**
 * OpenNebula templates in memory: single attributes (`CPU="1"`) and vectors (`NIC=[NETWORK_ID="1"]`), several of one name allowed.
 * Names are upper-case; documents list them by name, and those of one name in the order in which they were added.
 */
import { cdata, wrap } from "../wire/xml.js"

export interface Single {
  readonly _tag: "Single"
  readonly name: string
  readonly value: string
}

export interface Vector {
  readonly _tag: "Vector"
  readonly name: string
  readonly values: ReadonlyMap<string, string>
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
  /** `toXml`, until something changes. */
  private xml: string | undefined
  /** Grows with every change. */
  version = 0
  private readonly list: Array<Attribute>

  constructor(attributes: Iterable<Attribute> = []) {
    this.list = [...attributes]
  }

  get attributes(): ReadonlyArray<Attribute> {
    return this.list
  }

  private changed(): void {
    this.version += 1
    this.last = undefined
    this.xml = undefined
  }

  get isEmpty(): boolean {
    return this.list.length === 0
  }

  /** The value of the last single attribute of that name. */
  get(name: string): string | undefined {
    this.last ??= new Map(this.list.map((attribute) => [attribute.name, attribute]))
    const found = this.last.get(name)
    return found?._tag === "Single" ? found.value : undefined
  }

  vectors(name: string): ReadonlyArray<Vector> {
    return this.list.filter((attribute): attribute is Vector => attribute._tag === "Vector" && attribute.name === name)
  }

  add(...attributes: ReadonlyArray<Attribute>): void {
    this.list.push(...attributes)
    this.changed()
  }

  /** Takes all attributes of that name out and returns them. */
  remove(name: string): ReadonlyArray<Attribute> {
    const removed = this.list.filter((attribute) => attribute.name === name)
    if (removed.length > 0) this.keep((attribute) => attribute.name !== name)
    return removed
  }

  keep(wanted: (attribute: Attribute) => boolean): void {
    const kept = this.list.filter(wanted)
    this.list.splice(0, this.list.length, ...kept)
    this.changed()
  }

  /** Changes the values of one of its vectors, in its place. */
  change(known: Vector, how: (values: Map<string, string>) => void): void {
    const at = this.list.indexOf(known)
    if (at < 0) return
    const values = new Map(known.values)
    how(values)
    this.list[at] = { ...known, values }
    this.changed()
  }

  set(name: string, value: string | number): void {
    this.remove(name)
    this.add(single(name, value))
  }

  /** Attributes of `other` replace those of the same name: what an instantiate's extra template and an appending update do. */
  merge(other: Template): void {
    const names = new Set(other.list.map((attribute) => attribute.name))
    this.keep((attribute) => !names.has(attribute.name))
    this.add(...other.list)
  }

  copy(): Template {
    return new Template(this.list)
  }

  /** The attributes as XML, without a surrounding element. */
  toXml(): string {
    this.xml ??= this.list
      .toSorted((a, b) => byName(a.name, b.name))
      .map(writeAttribute)
      .join("")
    return this.xml
  }
}

/** What `compute` reads in a template, computed anew only when that has changed: quotas and schedulers ask for it of every machine. */
export const remembered = <A>(compute: (template: Template) => A): ((template: Template) => A) => {
  const known = new WeakMap<Template, { readonly version: number; readonly value: A }>()
  return (template) => {
    const last = known.get(template)
    if (last !== undefined && last.version === template.version) return last.value
    const value = compute(template)
    known.set(template, { version: template.version, value })
    return value
  }
}
