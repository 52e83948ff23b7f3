/** The components of an offering: what Waldur's offering says, and what the configuration file says against it. */
import { Either } from "effect"
import type { AccountingType, Component } from "../../core/components.js"
import { printable } from "../../core/components.js"
import { OfferingFault } from "../../core/errors.js"
import type { OfferingComponent } from "../../waldur/index.js"
import { mismatches, type Overrides } from "./mismatches.js"
import type { ComponentOverride } from "./model.js"

const isAccountingType = (word: string): word is AccountingType =>
  word === "usage" || word === "limit" || word === "fixed" || word === "one"

/**
 * Waldur's components, each key of `backend_components` winning over what Waldur has, but for what is billed by plan there.
 *
 * Fails with every fault at once: where file, Waldur and backend cannot all be right (`mismatches.ts`), and for each component whose way of
 * billing neither side says.
 */
export const components = (
  offering: Overrides,
  inWaldur: ReadonlyArray<OfferingComponent>
): Either.Either<ReadonlyArray<Component>, ReadonlyArray<OfferingFault>> => {
  const made = inWaldur.map((component) => combined(offering, component))
  const faults = [...mismatches(offering, inWaldur), ...made.flatMap((one) => (Either.isLeft(one) ? [one.left] : []))]
  return faults.length > 0
    ? Either.left(faults)
    : Either.right(made.flatMap((one) => (Either.isRight(one) ? [one.right] : [])))
}

const combined = (offering: Overrides, inWaldur: OfferingComponent): Either.Either<Component, OfferingFault> => {
  const own: Partial<ComponentOverride> = offering.components[inWaldur.type] ?? {}
  // What Waldur bills by plan the Python agent's file has otherwise (`mismatches.ts`).
  const { accountingType } =
    inWaldur.accountingType === "fixed" ? inWaldur : { accountingType: own.accountingType ?? inWaldur.accountingType }
  if (!isAccountingType(accountingType)) {
    return Either.left(
      new OfferingFault({
        reason: `Waldur bills the component ${printable(inWaldur.type)} of offering "${printable(offering.name)}" in a way that is not known here (${printable(accountingType)}).`,
        hint: `Set backend_components.${printable(inWaldur.type)}.accounting_type to usage, limit, fixed or one.`
      })
    )
  }
  return Either.right({
    type: inWaldur.type,
    name: own.name ?? inWaldur.name,
    measuredUnit: own.measuredUnit ?? inWaldur.measuredUnit,
    unitFactor: own.unitFactor ?? inWaldur.unitFactor,
    accountingType,
    ...(own.reportingUnitFactor === undefined ? {} : { reportingUnitFactor: own.reportingUnitFactor }),
    ...(own.usageFrom === undefined ? {} : { usageFrom: own.usageFrom })
  })
}

/** By what orders and figures are counted, where a change of it counts. */
const countedBy = (all: ReadonlyArray<Component>): ReadonlyMap<string, string> =>
  new Map(
    all.map(({ accountingType, reportingUnitFactor, type, unitFactor }) => [
      type,
      [accountingType, unitFactor, reportingUnitFactor].join(" ")
    ])
  )

/** Orders name what is sold by limit or by plan. */
const isOrdered = ({ accountingType }: Component): boolean => accountingType === "limit" || accountingType === "fixed"

/**
 * Fails with what has become of the components in Waldur since the offering was opened with `known`, where that would have orders refused or counted in
 * other units: what orders may name now, what has another factor or way of billing, what is gone.
 *
 * They are not read anew while the agent runs: the backend was opened with them, reports and looks hold them, and an order in work would be accepted by
 * some and told by others. To change all of these at once is what a restart does.
 */
export const unchanged = (
  offering: Overrides,
  known: ReadonlyArray<Component>,
  inWaldur: ReadonlyArray<OfferingComponent>
): Either.Either<void, ReadonlyArray<OfferingFault>> =>
  Either.flatMap(components(offering, inWaldur), (now) => {
    const [before, after] = [countedBy(known), countedBy(now)]
    const others = [
      ...known.filter(({ type }) => before.get(type) !== after.get(type)),
      ...now.filter((component) => isOrdered(component) && !before.has(component.type))
    ].map(({ type }) => printable(type))
    return others.length === 0
      ? Either.void
      : Either.left([
          new OfferingFault({
            reason: `The components of offering "${printable(offering.name)}" have changed in Waldur since the agent opened it: ${others.join(", ")}.`,
            hint: "Restart the agent, or change them back: until then new orders wait, as they would be counted in other units, or refused."
          })
        ])
  })

/** The file's components alone, as far as they are complete: for a look at the backend while Waldur cannot be asked. */
export const componentsOfFile = (offering: Overrides): ReadonlyArray<Component> =>
  Object.entries(offering.components).map(([type, own]) => ({
    type,
    name: own.name ?? type,
    measuredUnit: own.measuredUnit ?? "",
    unitFactor: own.unitFactor ?? 1,
    accountingType: own.accountingType ?? "limit"
  }))
