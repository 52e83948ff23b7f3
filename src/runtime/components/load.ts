/** Makes the offering's components in Waldur what the file says they are, as `waldur_site_load_components` of the Python agent did. */
import { Effect, Option } from "effect"
import type { ComponentRequest, OfferingComponent, WaldurService } from "../../waldur/index.js"
import type { ComponentOverride, OfferingConfig } from "../config/index.js"

export interface Loaded {
  readonly type: string
  readonly outcome: "made" | "changed" | "as it is" | "failed"
  /** What changed, or what went wrong. */
  readonly detail: string
}

/** Keys that go to Waldur under their own names, if the file has them. Only the first few can be read back from an offering. */
const readable = ["limit_period", "min_value", "max_value", "is_boolean"] as const
const others = [
  "description",
  "max_available_limit",
  "default_limit",
  "article_code",
  "is_prepaid",
  "min_prepaid_duration",
  "max_prepaid_duration",
  "prepaid_duration_step",
  "min_renewal_duration",
  "max_renewal_duration",
  "renewal_duration_step"
] as const

/** Each component of the file on its own: one that Waldur refuses holds up no other. What stands only in Waldur is left alone. */
export const load = (
  waldur: Pick<WaldurService, "createComponent" | "updateComponent">,
  { id, components }: Pick<OfferingConfig, "id" | "components">,
  inWaldur: ReadonlyArray<OfferingComponent>
): Effect.Effect<ReadonlyArray<Loaded>> =>
  Effect.forEach(Object.entries(components), ([type, own]): Effect.Effect<Loaded> => {
    const found = inWaldur.find((component) => component.type === type)
    // What Waldur bills by plan the Python agent's file has otherwise (`config/mismatches.ts`): its plans hang on that.
    const byPlan = found?.accountingType === "fixed" && (own.accountingType ?? "fixed") !== "fixed"
    const billing = byPlan ? "fixed" : (own.accountingType ?? found?.accountingType)
    const stays = byPlan ? ["billed by plan (fixed) in Waldur, and left so"] : []
    if (billing === undefined || billing.startsWith("unknown:")) {
      const detail = `Set backend_components.${type}.accounting_type to usage, limit, fixed or one.`
      return Effect.succeed({ type, outcome: "failed", detail })
    }
    const request = requestOf(type, own, billing, found)
    const changes = found === undefined ? [] : changesOf(request, own, found)
    const uuid = Option.getOrUndefined(found?.uuid ?? Option.none())
    if (found !== undefined && changes.length === 0)
      return Effect.succeed({ type, outcome: "as it is", detail: stays.join("; ") })
    const call = uuid === undefined ? waldur.createComponent(id, request) : waldur.updateComponent(id, uuid, request)
    const done: Loaded = {
      type,
      outcome: uuid === undefined ? "made" : "changed",
      detail: [...changes, ...stays].join("; ")
    }
    return call.pipe(
      Effect.as(done),
      Effect.catchAll((error) => Effect.succeed<Loaded>({ type, outcome: "failed", detail: error.message }))
    )
  })

const requestOf = (
  type: string,
  own: ComponentOverride,
  billing: string,
  found: OfferingComponent | undefined
): ComponentRequest => {
  const factor = own.unitFactor ?? found?.unitFactor ?? 1
  const limitPeriod = Option.getOrUndefined(found?.limitPeriod ?? Option.none())
  return {
    type,
    name: own.name ?? found?.name ?? type,
    billing_type: billing,
    measured_unit: own.measuredUnit ?? found?.measuredUnit ?? "",
    // Waldur's is a whole number; the file's holds here in any case.
    ...(Number.isInteger(factor) ? { unit_factor: factor } : {}),
    limit_amount: own.keys.limit ?? Option.getOrNull(found?.limitAmount ?? Option.none()),
    // It would be emptied if it were left out.
    ...(limitPeriod === undefined ? {} : { limit_period: limitPeriod }),
    // What is paid once is paid in advance, as the Python agent has it.
    ...(billing === "one" ? { is_prepaid: true } : {}),
    ...Object.fromEntries(
      [...readable, ...others].flatMap((key) => {
        const value = own.keys[key]
        return value === undefined ? [] : [[key, value]]
      })
    )
  }
}

const changesOf = (
  request: ComponentRequest,
  own: ComponentOverride,
  found: OfferingComponent
): ReadonlyArray<string> => {
  const before: Readonly<Record<string, unknown>> = {
    name: found.name,
    billing_type: found.accountingType,
    measured_unit: found.measuredUnit,
    unit_factor: found.unitFactor,
    limit_amount: Option.getOrNull(found.limitAmount),
    limit_period: Option.getOrNull(found.limitPeriod),
    min_value: Option.getOrNull(found.minValue),
    max_value: Option.getOrNull(found.maxValue),
    is_boolean: found.isBoolean
  }
  const changed = Object.entries(request).flatMap(([key, value]) =>
    key in before && before[key] !== value ? [`${key} ${shown(before[key])} -> ${shown(value)}`] : []
  )
  const unread = others.filter((key) => own.keys[key] !== undefined)
  return unread.length === 0 ? changed : [...changed, `${unread.join(", ")} set`]
}

const shown = (value: unknown): string => (value === null || value === "" ? "none" : String(value))
