/** The offering's components: what the file and Waldur say of each, and what follows for limits. */
import { Either, Redacted } from "effect"
import type { Plugin } from "../../core/backend.js"
import type { Component } from "../../core/components.js"
import { quantityOf } from "../../core/usage.js"
import type { OfferingComponent } from "../../waldur/index.js"
import { type ComponentOverride, components, type OfferingConfig } from "../config/index.js"
import { type Finding, failed, ok, warning } from "./row.js"

export const componentFindings = (
  offering: Pick<OfferingConfig, "name" | "components" | "backendSettings"> & Partial<Pick<OfferingConfig, "plugin">>,
  inWaldur: ReadonlyArray<OfferingComponent>
): ReadonlyArray<Finding> => {
  if (inWaldur.length === 0) {
    return [failed("components", "The offering has no components in Waldur: orders could not say how much of what.")]
  }
  const joined = components(offering, inWaldur)
  const faults = Either.isLeft(joined) ? joined.left.map((fault) => failed("components", fault.message)) : []
  const known = Either.isRight(joined) ? joined.right : []
  return [
    ...faults,
    ...inWaldur.flatMap((component) => differences(component, offering.components[component.type])),
    ...known.map((component) => ok(`component ${component.type}`, described(component))),
    ...unmeasured(offering.plugin?.quantities, known),
    ...billing(offering, known)
  ]
}

const described = (component: Component): string => {
  const unit = component.measuredUnit === "" ? "no unit" : component.measuredUnit
  const factor = component.unitFactor === 1 ? "" : `, 1 is ${component.unitFactor} in the backend`
  return `billed by ${component.accountingType}, in ${unit}${factor}`
}

/** Where the file and Waldur say different things that can be lived with, and somebody should know. */
const differences = (component: OfferingComponent, own: ComponentOverride | undefined): ReadonlyArray<Finding> => {
  if (own === undefined) return []
  const subject = `component ${component.type}`
  const path = `backend_components.${component.type}`
  const factor =
    own.unitFactor === undefined && component.unitFactor !== 1
      ? [
          warning(
            subject,
            `${path} has no unit_factor, so Waldur's ${component.unitFactor} is used. The Python agent used 1: write down which it is.`
          )
        ]
      : own.unitFactor !== undefined && component.unitFactor !== 1 && own.unitFactor !== component.unitFactor
        ? [
            warning(
              subject,
              `unit_factor is ${own.unitFactor} in the file and ${component.unitFactor} in Waldur; the file's is used.`
            )
          ]
        : []
  const unit =
    own.measuredUnit !== undefined && component.measuredUnit !== "" && own.measuredUnit !== component.measuredUnit
      ? [
          warning(
            subject,
            `measured_unit is ${own.measuredUnit} in the file and ${component.measuredUnit} in Waldur: customers order in Waldur's. Check unit_factor.`
          )
        ]
      : []
  const byPlan =
    component.accountingType === "fixed" && own.accountingType !== undefined && own.accountingType !== "fixed"
      ? [
          warning(
            subject,
            `${path}.accounting_type is ${own.accountingType}, but Waldur bills the component by plan (fixed), and that is used. The Python agent's files cannot say fixed: write it once that agent reads the file no more.`
          )
        ]
      : []
  return [...byPlan, ...factor, ...unit]
}

/** Billed by usage, and nothing that the backend measures: somebody else has to report it. */
const unmeasured = (quantities: Plugin["quantities"], known: ReadonlyArray<Component>): ReadonlyArray<Finding> =>
  quantities === undefined
    ? []
    : known
        .filter((component) => component.accountingType === "usage")
        .filter((component) => !quantities.some(({ name }) => name === quantityOf(component)))
        .map((component) =>
          warning(
            `component ${component.type}`,
            `Billed by usage, but not measured here: set backend_components.${component.type}.usage_from to one of ${quantities.map(({ name }) => name).join(", ")}, or report it in another way.`
          )
        )

/**
 * What of a resource's actual sizes is written back as limits, and why.
 *
 * Only `limit` components have limits in Waldur. On a server seen in practice, limits on `fixed` components make every
 * later plan switch end in a server error (waldur 2024, `KeyError` in set_state_done), so those are left empty unless
 * `report_fixed_limits` asks for them.
 */
const billing = (
  offering: Pick<OfferingConfig, "backendSettings">,
  known: ReadonlyArray<Component>
): ReadonlyArray<Finding> => {
  const named = (type: Component["accountingType"]) =>
    known.filter((component) => component.accountingType === type).map((component) => component.type)
  const limit = named("limit")
  const fixed = named("fixed")
  if (limit.length === 0 && fixed.length === 0) return []
  const written = limit.length === 0 ? [] : [`actual sizes of ${limit.join(", ")} are written back as limits`]
  if (fixed.length === 0) return [ok("billing", sentenceOf([...written, "the offering bills by limit"]))]
  if (Redacted.value(offering.backendSettings).report_fixed_limits === true) {
    return [
      warning(
        "billing",
        sentenceOf([
          ...written,
          `limits are written for ${fixed.join(", ")} too, although they are billed by plan (report_fixed_limits): a server seen in practice can then never finish another plan switch`
        ])
      )
    ]
  }
  return [
    ok(
      "billing",
      sentenceOf([
        ...written,
        `billed by plan (fixed) ${fixed.length === 1 ? "is" : "are"} ${fixed.join(", ")}: limits stay empty, as a server seen in practice could not finish a plan switch with them; actual sizes are in the metadata`
      ])
    )
  ]
}

/** No part begins with a component's name, which stays as Waldur has it. */
const sentenceOf = (parts: ReadonlyArray<string>): string => {
  const text = parts.join("; ")
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
