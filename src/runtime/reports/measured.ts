/** What of an offering is reported, and how each component is measured. */
import type { Effect } from "effect"
import {
  type Backend,
  type Component,
  type OfferingId,
  type Plugin,
  quantityOf,
  type SiteError
} from "../../core/index.js"
import type { WaldurService } from "../../waldur/index.js"

/** An offering, as far as reports need it. */
export interface Reporter {
  readonly id: OfferingId
  readonly name: string
  readonly waldur: Pick<
    WaldurService,
    "reportedResources" | "resource" | "componentUsages" | "offeringUsages" | "setUsage"
  >
  readonly backend: Pick<Backend<unknown>, "usage" | "accounting">
  readonly components: ReadonlyArray<Component>
  readonly quantities: Plugin["quantities"]
  readonly pluginOptions: Effect.Effect<Readonly<Record<string, unknown>>, SiteError>
}

export interface Measured {
  /** As it is allocated at this moment. */
  readonly now: ReadonlyArray<Component>
  /** Adds up over a billing period. */
  readonly period: ReadonlyArray<Component>
  /** Types of the latter: their figures never go down within a period. */
  readonly growing: ReadonlySet<string>
  /** Types that are billed by plan: Waldur's own servers refuse usage of them ("These components are invalid"). */
  readonly fixed: ReadonlySet<string>
  readonly units: ReadonlyMap<string, string>
  /** Components that are billed by usage, and that nobody measures here. */
  readonly notices: ReadonlyArray<string>
}

/** A backend that does not say what it measures is taken to measure everything, now. */
export const measuredBy = ({ components, quantities, backend }: Reporter): Measured => {
  const how = (component: Component) =>
    quantities === undefined ? "now" : quantities.find(({ name }) => name === quantityOf(component))?.measured
  const period = backend.accounting === undefined ? [] : components.filter((component) => how(component) === "period")
  const now = components.filter((component) => how(component) === "now")
  return {
    now,
    period,
    growing: new Set(period.map(({ type }) => type)),
    fixed: new Set(components.filter(({ accountingType }) => accountingType === "fixed").map(({ type }) => type)),
    units: new Map(components.map(({ type, measuredUnit }) => [type, measuredUnit])),
    notices: components
      .filter(
        (component) => component.accountingType === "usage" && !now.includes(component) && !period.includes(component)
      )
      .map(
        ({ type }) =>
          `The component ${type} is billed by usage, but not measured here: set backend_components.${type}.usage_from to one of ${(quantities ?? []).map(({ name }) => name).join(", ")}, or report it in another way.`
      )
  }
}
