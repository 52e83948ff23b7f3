/** Components side by side. */
import type { Plugin } from "../../core/index.js"
import type { OfferingComponent } from "../../waldur/index.js"
import type { OfferingConfig } from "../config/index.js"

export interface ComponentRow {
  readonly type: string
  /** What each side has, in a few words; empty: nothing. */
  readonly file: string
  readonly waldur: string
  readonly backend: string
}

/** Waldur's components first, then what stands only in the file. */
export const compared = (
  offering: Pick<OfferingConfig, "components"> & { readonly plugin: Pick<Plugin, "quantities"> },
  inWaldur: ReadonlyArray<OfferingComponent>
): ReadonlyArray<ComponentRow> => {
  const types = new Set([...inWaldur.map(({ type }) => type), ...Object.keys(offering.components)])
  return [...types].map((type) => {
    const own = offering.components[type]
    const found = inWaldur.find((component) => component.type === type)
    return {
      type,
      file: own === undefined ? "" : inWords(own.accountingType, own.measuredUnit, own.unitFactor),
      waldur: found === undefined ? "" : inWords(found.accountingType, found.measuredUnit, found.unitFactor),
      backend: ofBackend(offering.plugin.quantities, own?.usageFrom ?? type, type)
    }
  })
}

const inWords = (billing: string | undefined, unit: string | undefined, factor: number | undefined): string =>
  [billing ?? "billing not said", unit, factor === undefined || factor === 1 ? undefined : `x ${factor}`]
    .filter((word) => word !== undefined && word !== "")
    .join(", ")

const ofBackend = (quantities: Plugin["quantities"], measuredAs: string, type: string): string => {
  const measured = quantities?.find(({ name }) => name === measuredAs)
  const ordered = quantities?.some(({ name, ordered: can }) => name === type && can) === true
  if (measured === undefined) return ordered ? "ordered" : ""
  const how = measured.measured === "now" ? "measured now" : "adds up over the month"
  return [ordered ? "ordered" : undefined, `${how}, in ${measured.unit}`]
    .filter((word) => word !== undefined)
    .join(", ")
}
