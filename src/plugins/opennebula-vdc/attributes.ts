/** What a customer may write into the order of a VDC. Anything else in it is other people's business. */
import { Schema } from "effect"

export const VdcAttributes = Schema.Struct({
  /** The tenant's subnet, `10.4.0.0/24`. Absent or empty: the next free one. */
  subnet_cidr: Schema.optional(Schema.NullOr(Schema.String))
})
export type VdcAttributes = typeof VdcAttributes.Type
