/** What an operator may do: each says first what it will do, and is written down with who did it. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Schema } from "effect"
import { ActionKind } from "./action-kinds.js"
import { Millis, NotAllowed, pageOf, pageParams, Refused, Unavailable, Uuid } from "./common.js"
import { Known, Role, SignedInBy } from "./session.js"

const reason = Schema.optionalWith(Schema.String.pipe(Schema.maxLength(500)), { default: () => "" })

/** Wakes an order that rests; takes an erred one up again, in Waldur too, after undoing what is left of it; releases a quarantined one. */
export const Retry = Schema.Struct({ kind: Schema.Literal("retry"), order: Uuid })
/** Ends an order that is in work: no further step is begun, what it did is undone, and it ends as erred in Waldur. */
export const Cancel = Schema.Struct({ kind: Schema.Literal("cancel"), order: Uuid, reason })
/** Lets a quarantined resource's order be taken up again. */
export const Release = Schema.Struct({ kind: Schema.Literal("release"), resource: Uuid })
/** Tries now to undo what is left of an order. */
export const RemoveLeftovers = Schema.Struct({ kind: Schema.Literal("remove-leftovers"), order: Uuid })
/** Takes one thing off the list that somebody has removed by hand. Touches nothing in the cloud. */
export const ForgetLeftover = Schema.Struct({
  kind: Schema.Literal("forget-leftover"),
  order: Uuid,
  step: Schema.String.pipe(Schema.maxLength(500))
})
/** Looks at all resources of an offering (or of all offerings) now, and does what the policies say. */
export const Reconcile = Schema.Struct({ kind: Schema.Literal("reconcile"), offering: Schema.optional(Uuid) })
/** Takes no more orders of an offering; those in work go on to their end. Outlasts a restart. */
export const Pause = Schema.Struct({ kind: Schema.Literal("pause"), offering: Uuid, reason })
/** Ends a pause. */
export const Resume = Schema.Struct({ kind: Schema.Literal("resume"), offering: Uuid })

export const Action = Schema.Union(Retry, Cancel, Release, RemoveLeftovers, ForgetLeftover, Reconcile, Pause, Resume)
export type Action = typeof Action.Type

export const Preview = Schema.Struct({
  /** A question's worth: "Cancel the order?" */
  title: Schema.String,
  /** What will happen, a sentence each, in order. */
  will: Schema.Array(Schema.String),
  /** `null`: it can be done. Else one sentence why not now. */
  impossible: Schema.NullOr(Schema.String),
  /** `removes`: something in the cloud goes. `changes`: something goes on or is stopped. `looks`: nothing changes by itself. */
  weight: Schema.Literal("looks", "changes", "removes")
})
export type Preview = typeof Preview.Type

export const Outcome = Schema.Struct({
  /** Was it done? */
  ok: Schema.Boolean,
  /** One sentence. */
  outcome: Schema.String
})
export type Outcome = typeof Outcome.Type

export const AuditRow = Schema.Struct({
  at: Millis,
  who: Schema.String,
  role: Role,
  /** Beside the page's ways: `command line`. */
  by: Schema.Union(SignedInBy, Schema.Literal("command line")),
  kind: Schema.String,
  /** The uuid of the order, resource or offering; empty: all. */
  subject: Schema.String,
  /** The operator's own words, or the step. */
  detail: Schema.String,
  /** `null`: it is being done, or the agent stopped before it was over. */
  ok: Schema.NullOr(Schema.Boolean),
  outcome: Schema.String
})
export type AuditRow = typeof AuditRow.Type

export const actions = HttpApiGroup.make("actions")
  /** Changes nothing. For viewers too. */
  .add(
    HttpApiEndpoint.post("preview", "/api/actions/preview")
      .setPayload(Action)
      .addSuccess(Preview)
      .addError(NotAllowed)
      .addError(Refused)
      .addError(Unavailable)
  )
  /** For operators. What cannot be done now is an outcome with `ok: false`, no error. */
  .add(
    HttpApiEndpoint.post("perform", "/api/actions")
      .setPayload(Action)
      .addSuccess(Outcome)
      .addError(NotAllowed)
      .addError(Refused)
      .addError(Unavailable)
  )
  /** What was done by hand, the newest first. */
  .add(
    HttpApiEndpoint.get("audit", "/api/audit")
      .setUrlParams(Schema.Struct({ ...pageParams, subject: Schema.optional(Uuid), kind: Schema.optional(ActionKind) }))
      .addSuccess(pageOf(AuditRow))
      .addError(Refused)
      .addError(Unavailable)
  )
  .middleware(Known)
