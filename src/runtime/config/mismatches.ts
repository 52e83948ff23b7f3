/** Where the file's components, Waldur's and the backend's cannot all be right: each a fault that says what to change. */
import type { Plugin } from "../../core/backend.js"
import { printable } from "../../core/components.js"
import { OfferingFault } from "../../core/errors.js"
import type { OfferingComponent } from "../../waldur/index.js"
import { closest } from "./closest.js"
import type { ComponentOverride, OfferingConfig } from "./model.js"

export type Overrides = Pick<OfferingConfig, "name" | "components"> & {
  readonly plugin?: Pick<Plugin, "type" | "quantities">
}

/**
 * - what stands only in the file: nobody can order it, and a server that is sent a component that it does not know can break on it;
 * - another way of billing in the file than in Waldur: limits and plans would be taken for each other. Not of what Waldur bills by plan: the Python
 *   agent has no word for that (1.0.7 stops at `fixed`, in its file or read from Waldur), so a file that works there has another one;
 * - `usage_from` that names nothing that the backend measures;
 * - what is sold by limit, and means nothing to the backend: customers would pay for what they do not get.
 */
export const mismatches = (
  offering: Overrides,
  inWaldur: ReadonlyArray<OfferingComponent>
): ReadonlyArray<OfferingFault> => [
  ...Object.entries(offering.components).flatMap(([type, own]) => [
    ...onlyInFile(offering, type, inWaldur),
    ...usageFrom(offering, type, own)
  ]),
  ...inWaldur.flatMap((component) => [...otherBilling(offering, component), ...meaningless(offering, component)])
]

const onlyInFile = (offering: Overrides, type: string, inWaldur: ReadonlyArray<OfferingComponent>) =>
  inWaldur.some((component) => component.type === type)
    ? []
    : [
        new OfferingFault({
          reason: `backend_components.${printable(type)} stands in the file, but the offering "${printable(offering.name)}" in Waldur has ${listed(inWaldur.map((component) => component.type)) || "no components"}.`,
          hint: "Run `site-actors components --load` to have it made in Waldur, or remove it from the file."
        })
      ]

const otherBilling = ({ components }: Overrides, { type, accountingType }: OfferingComponent) => {
  const own = components[type]?.accountingType
  // A word of Waldur's that is not known here is for the file to say.
  if (own === undefined || own === accountingType || accountingType.startsWith("unknown:")) return []
  if (accountingType === "fixed") return []
  return [
    new OfferingFault({
      reason: `backend_components.${printable(type)}.accounting_type is ${own}, but Waldur bills the component by ${accountingType}.`,
      hint: `Write ${accountingType} into the file, or run \`site-actors components --load\` to change Waldur.`
    })
  ]
}

const usageFrom = ({ plugin }: Overrides, type: string, own: ComponentOverride) => {
  const known = plugin?.quantities?.map(({ name }) => name)
  if (own.usageFrom === undefined || known === undefined || known.includes(own.usageFrom)) return []
  const near = closest(own.usageFrom, known)
  return [
    new OfferingFault({
      reason: `backend_components.${printable(type)}.usage_from is ${printable(own.usageFrom)}, which ${plugin?.type} does not measure.`,
      hint: `${near === undefined ? "" : `Did you mean ${near}? `}It measures: ${listed(known)}.`
    })
  ]
}

const meaningless = ({ plugin }: Overrides, { type, accountingType }: OfferingComponent) => {
  const ordered = plugin?.quantities?.filter((quantity) => quantity.ordered).map(({ name }) => name)
  if (ordered === undefined || accountingType !== "limit" || ordered.includes(type)) return []
  return [
    new OfferingFault({
      reason: `Waldur sells the component ${printable(type)} by limit, but orders for ${plugin?.type} can only name ${listed(ordered)}.`,
      hint: "Correct waldur_offering_uuid, if that is the offering of something else; or remove the component from the offering in Waldur, or have it billed in another way."
    })
  ]
}

const listed = (names: ReadonlyArray<string>): string => names.map(printable).join(", ")
