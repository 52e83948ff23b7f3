/** Figures: what was measured of a resource, in the units and with the decimals in which Waldur is told. */
import { BigDecimal } from "effect"
import { type Amounts, type Component, toWaldur, type Usage } from "../../core/index.js"

/** One component of one resource in one billing period. */
export interface Figure {
  readonly component: string
  /** In Waldur's units; absent if it could not be read. */
  readonly amount?: number
  /** Why there is no amount. */
  readonly problem?: string
}

/** Waldur keeps two decimal places, and refuses more. */
const decimals = 2

export const toReport = (component: Component, amount: number): number => {
  const converted = toWaldur({ unitFactor: component.reportingUnitFactor ?? component.unitFactor }, amount)
  return toTwoDecimals(converted)
}

export const toTwoDecimals = (amount: number): number =>
  Number.isSafeInteger(amount)
    ? amount
    : BigDecimal.unsafeToNumber(BigDecimal.round(BigDecimal.unsafeFromNumber(amount), { scale: decimals }))

/** A figure for each of the components. What is no amount that can be reported counts as unread: never as zero. */
export const figuresOf = (components: ReadonlyArray<Component>, usage: Usage | undefined): ReadonlyArray<Figure> =>
  components.map((component): Figure => {
    const amounts: Amounts = usage?.amounts ?? {}
    const amount = amounts[component.type]
    if (amount === undefined)
      return { component: component.type, problem: usage?.problem ?? "The backend said nothing of it." }
    if (!Number.isFinite(amount) || amount < 0)
      return { component: component.type, problem: `The backend said ${amount}, which cannot be.` }
    return { component: component.type, amount: toReport(component, amount) }
  })
