/**
 * Components and their units: the one place where amounts are converted.
 *
 * Waldur counts in an offering's units (`measured_unit`, say GB), a backend in its own (say MB). `unit_factor` leads from the first to
 * the second: 16 GB with factor 1024 is 16384 MB. Every direction goes through `toBackend` and `toWaldur`: order limits, plan
 * quotas, usage reports, limits read back. Decimals are kept, and computed as decimals: 0.1 GB is 102.4 MB, not 102.4000000001.
 */
import { BigDecimal, Effect, Option, Schema } from "effect"
import { OrderRefused } from "./errors.js"

/** How Waldur bills a component (`accounting_type`). */
export const AccountingType = Schema.Literal("usage", "limit", "fixed", "one")
export type AccountingType = typeof AccountingType.Type

export const Component = Schema.Struct({
  /** The component's key in limits, quotas and usages: `cpu`, `ram`, ... */
  type: Schema.NonEmptyString,
  name: Schema.String,
  /** The offering's unit, for sentences: "GB". */
  measuredUnit: Schema.String,
  /** Backend units in one of the offering's units. */
  unitFactor: Schema.Number.pipe(Schema.finite(), Schema.positive()),
  accountingType: AccountingType,
  /** As `unitFactor`, for usage reports; `unitFactor` if absent. */
  reportingUnitFactor: Schema.optional(Schema.Number.pipe(Schema.finite(), Schema.positive())),
  /** The quantity of the backend that its usage is (`usage.ts`); if absent, the one of its type's name. */
  usageFrom: Schema.optional(Schema.String)
})
export type Component = typeof Component.Type

/** Component type -> amount. Which units is said by the name of whoever holds it: `limits` are the offering's, `amounts` the backend's. */
export const Amounts = Schema.Record({ key: Schema.String, value: Schema.Number })
export type Amounts = typeof Amounts.Type

/** More than any cloud has, and still exact as a number in every place that it passes through (2^31 - 1). */
export const largestAmount = 2_147_483_647

const decimal = (n: number): BigDecimal.BigDecimal => BigDecimal.unsafeFromNumber(n)
const number = (d: BigDecimal.BigDecimal): number => BigDecimal.unsafeToNumber(d)

/** The offering's units to the backend's. */
export const toBackend = (component: Pick<Component, "unitFactor">, amount: number): number =>
  number(BigDecimal.multiply(decimal(amount), decimal(component.unitFactor)))

/** The backend's units to the offering's, to ten decimal places. */
export const toWaldur = (component: Pick<Component, "unitFactor">, amount: number): number => {
  const whole = amount / component.unitFactor
  // Of whole numbers a division that comes out even is exact, and most are: a report converts some forty thousand.
  return Number.isSafeInteger(amount) && Number.isSafeInteger(component.unitFactor) && Number.isSafeInteger(whole)
    ? whole
    : number(BigDecimal.round(BigDecimal.unsafeDivide(decimal(amount), decimal(component.unitFactor)), { scale: 10 }))
}

const none: Amounts = {}

const named = (component: Component): string => component.name || component.type

/** Is this an amount that can be asked for at all: finite, not negative, not beyond reason? */
const refusal = (component: Component, amount: number): Option.Option<OrderRefused> => {
  const asked = `${amount} ${component.measuredUnit}`.trim()
  if (!Number.isFinite(amount)) {
    return Option.some(new OrderRefused({ customerMessage: `The amount of ${named(component)} is not a number.` }))
  }
  if (amount < 0) {
    return Option.some(
      new OrderRefused({
        customerMessage: `The amount of ${named(component)} must not be negative, but ${asked} was ordered.`
      })
    )
  }
  if (toBackend(component, amount) > largestAmount) {
    return Option.some(
      new OrderRefused({ customerMessage: `The amount of ${named(component)} is too large: ${asked} was ordered.` })
    )
  }
  return Option.none()
}

/**
 * An order's limits (or a plan's quotas), checked and in the backend's units.
 *
 * Fails with `OrderRefused` for a component that the offering does not have, and for amounts that are negative, no number, or huge.
 */
export const amountsFromWaldur = (
  components: ReadonlyArray<Component>,
  limits: Readonly<Record<string, number>>
): Effect.Effect<Amounts, OrderRefused> =>
  Effect.reduce(Object.entries(limits), none, (amounts, [type, amount]) => {
    const component = components.find((candidate) => candidate.type === type)
    if (component === undefined) {
      const offered = components.map((candidate) => candidate.type).join(", ")
      return new OrderRefused({
        customerMessage: `The order asks for "${printable(type)}", which this offering does not have; it has: ${offered}.`
      })
    }
    return Option.match(refusal(component, amount), {
      onNone: () => Effect.succeed({ ...amounts, [type]: toBackend(component, amount) }),
      onSome: Effect.fail
    })
  })

/** The backend's amounts in the offering's units; what the offering has no component for is left out. */
export const amountsToWaldur = (components: ReadonlyArray<Component>, amounts: Amounts): Amounts =>
  Object.fromEntries(
    components.flatMap((component) => {
      const amount = amounts[component.type]
      return amount === undefined ? [] : [[component.type, toWaldur(component, amount)]]
    })
  )

/** A name from outside, fit for a sentence: no control characters, not longer than 64 characters. */
export const printable = (text: string): string => {
  const clean = text.replace(/\p{Cc}/gu, "?")
  return clean.length > 64 ? `${clean.slice(0, 61)}...` : clean
}
