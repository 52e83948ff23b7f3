/** Limits as a customer sends them: checked in the order, and refused in the words, of the recorded servers. */
import { Either } from "effect"
import { invalid, type Outcome } from "./answers.js"
import type { Amounts, Json, JsonObject, Offering, Plan } from "./model.js"

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whole numbers only, also as text or with a zero fraction, as Django REST framework's IntegerField takes them. */
const integer = (value: Json | undefined): number | null => {
  if (typeof value !== "number" && typeof value !== "string") return null
  const text = String(value).replace(/\.0*\s*$/, "")
  return /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : null
}

/**
 * Field-level check. `minimum` is set for updates only: a create order takes a negative limit (015), an update does not (090).
 */
export const parseLimits = (value: Json | undefined, minimum: number | null): Outcome<{ [type: string]: number }> => {
  if (!isObject(value)) return invalid({ limits: ['Expected a dictionary of items but got type "str".'] })
  const limits: { [type: string]: number } = {}
  const errors: { [type: string]: ReadonlyArray<string> } = {}
  for (const [type, amount] of Object.entries(value)) {
    const parsed = integer(amount)
    if (amount === null) errors[type] = ["This field may not be null."]
    else if (parsed === null) errors[type] = ["A valid integer is required."]
    else if (minimum !== null && parsed < minimum)
      errors[type] = [`Ensure this value is greater than or equal to ${minimum}.`]
    else limits[type] = parsed
  }
  return Object.keys(errors).length > 0 ? invalid({ limits: errors }) : Either.right(limits)
}

export const limitTypes = (offering: Offering): ReadonlyArray<string> =>
  offering.components.filter(({ accountingType }) => accountingType === "limit").map(({ type }) => type)

/** Types that a limit may not be set for: unknown ones and those that are not billed by limit (013, 020). */
export const invalidTypes = (offering: Offering, limits: Amounts): ReadonlyArray<string> => {
  const valid = limitTypes(offering)
  return Object.keys(limits).filter((type) => !valid.includes(type))
}

export const checkBounds = (offering: Offering, limits: { readonly [type: string]: number }): Outcome<void> => {
  for (const { type, minValue, maxValue } of offering.components) {
    const amount = limits[type]
    if (amount === undefined) continue
    if (maxValue !== null && amount > maxValue)
      return invalid({ limits: [`The limit ${amount} value cannot be more than ${maxValue}.`] })
    if (minValue !== null && amount < minValue)
      return invalid({ limits: [`The limit ${amount} value cannot be less than ${minValue}.`] })
  }
  return Either.void
}

export const sameLimits = (one: Amounts, other: Amounts): boolean => {
  const types = Object.keys(one)
  return types.length === Object.keys(other).length && types.every((type) => one[type] === other[type])
}

/** Cost by limit, in the plan's prices; components of a fixed size do not enter it (136: `0.0000000000`). */
export const costOf = (plan: Plan | null, limits: Amounts): number | null => {
  if (plan === null) return null
  return Object.entries(limits).reduce((sum, [type, amount]) => {
    const price = plan.prices[type] ?? 0
    return typeof amount === "number" ? sum + amount * price : sum
  }, 0)
}

/**
 * The 2024 server's `KeyError`: limits that name anything but a component billed by limit break every later plan switch of the
 * resource, and an unknown key breaks every later update.
 */
export const breaksUpdates = (offering: Offering, limits: Amounts): boolean => invalidTypes(offering, limits).length > 0
