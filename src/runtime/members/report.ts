/** What came of one resource's synchronisation. */
import { Schema } from "effect"
import { AccessChangeKind, ResourceId } from "../../core/index.js"

/** Of one change: what it was, and what came of it. */
const DoneChange = Schema.Struct({
  kind: AccessChangeKind,
  who: Schema.String,
  what: Schema.String,
  /** `planned` in a dry run; `kept`: not believed yet; else what stood in its way. */
  outcome: Schema.Literal("done", "planned", "kept", "failed"),
  detail: Schema.String
})
export type DoneChange = typeof DoneChange.Type

/** What came of one resource's synchronisation; an actor answers with it. */
export const TeamReport = Schema.Struct({
  resource: ResourceId,
  name: Schema.String,
  changes: Schema.Array(DoneChange),
  problems: Schema.Array(Schema.Struct({ who: Schema.String, reason: Schema.String })),
  /** Who is in the team, by the persons' uuids. */
  team: Schema.Array(Schema.String),
  /** Closed to its team in Waldur. */
  restricted: Schema.Boolean,
  /** Why this resource was left as it is; empty if it was not. */
  failure: Schema.String
})
export type TeamReport = typeof TeamReport.Type
