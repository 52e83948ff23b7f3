/** Reads a call's parameters by position and type, with xmlrpc-c's faults (recordings 107, 157, 503 to 515, 523). */
import { Fault } from "./refusals.js"
import type { Value } from "./values.js"

const wrongType = (expected: string) =>
  new Fault({ code: -501, message: `Parameter that is supposed to be ${expected} is not` })

/** Position 0 is the first parameter after the session. Parameters beyond those that are read are ignored. */
export class Args {
  constructor(private readonly params: ReadonlyArray<Value>) {}

  private at(position: number): Value {
    const found = this.params[position]
    if (found === undefined) throw new Fault({ code: -501, message: "Not enough parameters" })
    return found
  }

  has(position: number): boolean {
    return this.params[position] !== undefined
  }

  int(position: number, otherwise?: number): number {
    if (otherwise !== undefined && !this.has(position)) return otherwise
    const value = this.at(position)
    if (value._tag !== "Int") throw wrongType("integer")
    return value.value
  }

  string(position: number, otherwise?: string): string {
    if (otherwise !== undefined && !this.has(position)) return otherwise
    const value = this.at(position)
    if (value._tag !== "String") throw wrongType("a string")
    return value.value
  }

  boolean(position: number, otherwise?: boolean): boolean {
    if (otherwise !== undefined && !this.has(position)) return otherwise
    const value = this.at(position)
    if (value._tag !== "Boolean") throw wrongType("boolean")
    return value.value
  }

  /** An array of integers; empty when left out. */
  ints(position: number): ReadonlyArray<number> {
    if (!this.has(position)) return []
    const value = this.at(position)
    if (value._tag !== "Array") throw wrongType("an array")
    return value.items.map((item) => {
      if (item._tag !== "Int") throw wrongType("integer")
      return item.value
    })
  }
}
