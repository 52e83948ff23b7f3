/** What a name may be, per kind of object, with the sentences of the recordings 387 to 441 and 547. */
import { actionRefused, internalError, type Refusal } from "../wire/refusals.js"

const longestName = 128

/** Why the name is refused, or undefined. `alsoForbidden`: group and user names refuse space and colon too. */
export const nameFault = (name: string, alsoForbidden = ""): string | undefined => {
  if (name === "") return "Invalid NAME, it cannot be empty"
  const bad = Array.from(name).find(
    (char) => char === "<" || char < " " || char === "\u007f" || alsoForbidden.includes(char)
  )
  if (bad !== undefined) return `Invalid NAME, char '${bad}' is not allowed`
  return Array.from(name).length > longestName ? `Invalid NAME, max length is ${longestName} chars` : undefined
}

export interface Named {
  readonly id: number
  readonly name: string
}

/** Throws when the name is invalid or taken. `kind` is what OpenNebula calls the table: GROUP, Vdc, NET, USER, SecurityGroup. */
export const claimName = (
  name: string,
  kind: string,
  others: Iterable<Named>,
  options: {
    readonly alsoForbidden?: string
    readonly refuse?: (message: string) => Refusal
    readonly stop?: string
  } = {}
): void => {
  const refuse = options.refuse ?? internalError
  const fault = nameFault(name, options.alsoForbidden)
  if (fault !== undefined) throw refuse(`${fault}${options.stop ?? ""}`)
  for (const other of others) if (other.name === name) throw refuse(`NAME is already taken by ${kind} ${other.id}.`)
}

/** Throws when an object of that kind cannot take the name (0x0800, recordings 432 to 441). */
export const checkRename = (name: string, noun: string, self: Named, others: Iterable<Named>): void => {
  const fault = nameFault(name)
  if (fault !== undefined) throw actionRefused(fault)
  for (const other of others)
    if (other.name === name && other.id !== self.id)
      throw actionRefused(`${noun} cannot be renamed to ${name} because it collides with ${noun} ${other.id}`)
}
