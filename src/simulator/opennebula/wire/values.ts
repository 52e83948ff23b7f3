/** XML-RPC values as the server sees them: an `int` is not a `boolean` and not an `i8` (recordings 503 to 512). */
export type Value =
  | { readonly _tag: "Int"; readonly value: number }
  | { readonly _tag: "Long"; readonly value: bigint }
  | { readonly _tag: "Boolean"; readonly value: boolean }
  | { readonly _tag: "Double"; readonly value: number }
  | { readonly _tag: "String"; readonly value: string }
  | { readonly _tag: "Nil" }
  | { readonly _tag: "Array"; readonly items: ReadonlyArray<Value> }
  | { readonly _tag: "Struct"; readonly members: ReadonlyArray<readonly [string, Value]> }

export const int = (value: number): Value => ({ _tag: "Int", value })
export const string = (value: string): Value => ({ _tag: "String", value })
export const boolean = (value: boolean): Value => ({ _tag: "Boolean", value })
export const array = (items: ReadonlyArray<Value>): Value => ({ _tag: "Array", items })
export const struct = (members: ReadonlyArray<readonly [string, Value]>): Value => ({ _tag: "Struct", members })

/** Plain JavaScript values as a test writes them; a number stands for an XML-RPC `int`. */
export type Plain = number | string | boolean | ReadonlyArray<Plain>

export const fromPlain = (plain: Plain): Value => {
  switch (typeof plain) {
    case "number":
      return int(plain)
    case "string":
      return string(plain)
    case "boolean":
      return boolean(plain)
    default:
      return array(plain.map(fromPlain))
  }
}

/** The value as plain JavaScript, for a log or an assertion. */
export const toPlain = (value: Value): unknown => {
  switch (value._tag) {
    case "Array":
      return value.items.map(toPlain)
    case "Struct":
      return Object.fromEntries(value.members.map(([name, member]) => [name, toPlain(member)]))
    case "Nil":
      return null
    case "Long":
      return value.value.toString()
    default:
      return value.value
  }
}
