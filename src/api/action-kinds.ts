/** The names of the actions; what they take and do stands in `actions.ts`. */
import { Schema } from "effect"

export const ActionKind = Schema.Literal(
  "retry",
  "cancel",
  "release",
  "remove-leftovers",
  "forget-leftover",
  "reconcile",
  "pause",
  "resume"
)
export type ActionKind = typeof ActionKind.Type
