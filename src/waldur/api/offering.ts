/** Offerings, their components and their plans, as `GET marketplace-provider-offerings/{uuid}/` gives them (recordings 007 and 008). */
import { Option, Schema } from "effect"
import {
  asNumber,
  at,
  attributes,
  flag,
  list,
  looseAmounts,
  optionalText,
  optionalUuid,
  text,
  uuid,
  type Word,
  word
} from "./lenient.js"

export const accountingTypes = ["usage", "limit", "fixed", "one"] as const
export type AccountingType = Word<(typeof accountingTypes)[number]>

/** The field is `unit_factor` today and was `factor` on older servers; nothing, or zero, means one to one. */
const factorOf = (raw: { readonly unit_factor?: unknown; readonly factor?: unknown }): number => {
  const factor = Option.orElse(asNumber(raw.unit_factor), () => asNumber(raw.factor))
  return Option.getOrElse(
    Option.filter(factor, (value) => value > 0),
    () => 1
  )
}

/** What a component is called and how it is billed, whichever names the server has for it. */
const RawComponent = Schema.Struct({
  uuid: optionalUuid("uuid"),
  type: Schema.NonEmptyString,
  name: text("name"),
  measured_unit: text("measured_unit"),
  unit_factor: Schema.optional(Schema.Unknown),
  factor: Schema.optional(Schema.Unknown),
  billing_type: optionalText("billing_type"),
  accounting_type: optionalText("accounting_type"),
  limit_period: optionalText("limit_period"),
  limit_amount: at("limit_amount", Schema.Unknown, () => null),
  min_value: at("min_value", Schema.Unknown, () => null),
  max_value: at("max_value", Schema.Unknown, () => null),
  is_boolean: flag("is_boolean"),
  is_builtin: flag("is_builtin")
})

const Component = Schema.Struct({
  uuid: Schema.OptionFromSelf(Schema.String),
  /** The key in limits, quotas and usages. */
  type: Schema.String,
  name: Schema.String,
  /** The offering's unit: "GB". */
  measuredUnit: Schema.String,
  /** Backend units in one of the offering's units; 1 where Waldur has none. */
  unitFactor: Schema.Number,
  /** Waldur: `billing_type`. */
  accountingType: word("accountingType", accountingTypes),
  limitPeriod: Schema.OptionFromSelf(Schema.String),
  limitAmount: Schema.OptionFromSelf(Schema.Number),
  minValue: Schema.OptionFromSelf(Schema.Number),
  maxValue: Schema.OptionFromSelf(Schema.Number),
  isBoolean: Schema.Boolean,
  isBuiltin: Schema.Boolean
})

export const OfferingComponent = Schema.transform(RawComponent, Component, {
  strict: true,
  decode: (raw) => ({
    uuid: raw.uuid,
    type: raw.type,
    name: raw.name,
    measuredUnit: raw.measured_unit,
    unitFactor: factorOf(raw),
    accountingType: Option.getOrElse(
      Option.orElse(raw.billing_type, () => raw.accounting_type),
      () => "none"
    ),
    limitPeriod: raw.limit_period,
    limitAmount: asNumber(raw.limit_amount),
    minValue: asNumber(raw.min_value),
    maxValue: asNumber(raw.max_value),
    isBoolean: raw.is_boolean,
    isBuiltin: raw.is_builtin
  }),
  encode: (component) => ({
    uuid: component.uuid,
    type: component.type,
    name: component.name,
    measured_unit: component.measuredUnit,
    unit_factor: component.unitFactor,
    billing_type: Option.some(component.accountingType),
    accounting_type: Option.none(),
    limit_period: component.limitPeriod,
    limit_amount: Option.getOrNull(component.limitAmount),
    min_value: Option.getOrNull(component.minValue),
    max_value: Option.getOrNull(component.maxValue),
    is_boolean: component.isBoolean,
    is_builtin: component.isBuiltin
  })
})
export type OfferingComponent = typeof OfferingComponent.Type

export const Plan = Schema.Struct({
  uuid: uuid("uuid"),
  name: text("name"),
  archived: flag("archived"),
  /** Component type -> amount, in the offering's units. */
  quotas: looseAmounts("quotas"),
  backendId: optionalText("backend_id")
})
export type Plan = typeof Plan.Type
export const planFields = ["uuid", "name", "archived", "quotas", "backend_id"] as const

export const offeringStates = ["Draft", "Active", "Paused", "Archived", "Unavailable"] as const
export type OfferingState = Word<(typeof offeringStates)[number]>

export const Offering = Schema.Struct({
  uuid: uuid("uuid"),
  name: text("name"),
  slug: text("slug"),
  state: word("state", offeringStates),
  /** "Marketplace.Slurm", "Marketplace.Basic", ... */
  type: text("type"),
  /** The service provider's organisation. */
  customerUuid: optionalUuid("customer_uuid"),
  customerName: text("customer_name"),
  components: list("components", OfferingComponent),
  plans: list("plans", Plan),
  /** Wins over `backend_settings` of the configuration file. */
  pluginOptions: attributes("plugin_options"),
  /** Of its resources' backend ids. Absent on servers before 2026. */
  backendIdRules: attributes("backend_id_rules"),
  backendId: optionalText("backend_id")
})
export type Offering = typeof Offering.Type
