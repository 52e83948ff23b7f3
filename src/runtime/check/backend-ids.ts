/**
 * A provider may have rules in Waldur for the backend ids of an offering's resources. An order whose id does not follow them cannot be told as done
 * (source: waldur-mastermind, marketplace/utils.py, `validate_backend_id`).
 */
import { Option, Schema } from "effect"
import type { Offering } from "../../waldur/index.js"
import { type Finding, warning } from "./row.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optional(Schema.NullOr(schema))
const Rules = Schema.Struct({
  format: optional(Schema.Struct({ regex: optional(Schema.String) })),
  uniqueness: optional(Schema.Struct({ scope: optional(Schema.String) }))
})

export const backendIdFindings = ({ backendIdRules }: Pick<Offering, "backendIdRules">): ReadonlyArray<Finding> => {
  const { format, uniqueness } = Option.getOrElse(
    Schema.decodeUnknownOption(Rules)(backendIdRules),
    (): typeof Rules.Type => ({})
  )
  const regex = format?.regex ?? ""
  const scope = uniqueness?.scope ?? ""
  return [
    ...(regex === ""
      ? []
      : [
          warning(
            "backend ids",
            `Waldur takes none that does not match ${regex} (backend_id_rules of the offering): where what is made here is called otherwise, orders wait until the rule is changed.`
          )
        ]),
    ...(scope === "" || scope === "offering"
      ? []
      : [
          warning(
            "backend ids",
            `Waldur takes none that a resource of another offering has (backend_id_rules of the offering, uniqueness "${scope}"). Data centres and machines are both known by small numbers: orders err where two meet. Set it to "offering".`
          )
        ])
  ]
}
