/** Waldur's components as the file would have them: `backend_components`, to be put under an offering. */
import { Option } from "effect"
import { stringify } from "yaml"
import type { OfferingComponent } from "../../waldur/index.js"

export const asYaml = (inWaldur: ReadonlyArray<OfferingComponent>): string =>
  stringify({
    backend_components: Object.fromEntries(
      inWaldur.map((component) => [
        component.type,
        {
          label: component.name,
          measured_unit: component.measuredUnit,
          accounting_type: component.accountingType.replace(/^unknown:/, ""),
          unit_factor: component.unitFactor,
          ...ifSome("limit", component.limitAmount),
          ...ifSome("limit_period", component.limitPeriod),
          ...ifSome("min_value", component.minValue),
          ...ifSome("max_value", component.maxValue)
        }
      ])
    )
  })

const ifSome = (key: string, value: Option.Option<string | number>) =>
  Option.match(value, { onNone: () => ({}), onSome: (some) => ({ [key]: some }) })
