/** What went wrong and stays until somebody or something mends it: leftovers, quarantine, differences, orphans. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import { Schema } from "effect"
import { Millis, pageOf, pageParams, Refused, search, Unavailable, Uuid } from "./common.js"
import { Difference } from "./resources.js"
import { Known } from "./session.js"

/** Made by an order that failed, and undoing could not remove it. It is tried again every ten minutes. */
export const LeftoverRow = Schema.Struct({
  order: Schema.String,
  resource: Schema.String,
  name: Schema.String,
  offering: Schema.String,
  offeringName: Schema.String,
  step: Schema.String,
  /** Why it could not be removed. */
  reason: Schema.String,
  since: Millis
})
export type LeftoverRow = typeof LeftoverRow.Type

/** A resource whose order met a bug of the agent: the order is left as it stands, all others go on. */
export const QuarantineRow = Schema.Struct({
  resource: Schema.String,
  order: Schema.String,
  name: Schema.String,
  offering: Schema.String,
  offeringName: Schema.String,
  since: Millis,
  /** The defect, in one line. */
  reason: Schema.String
})
export type QuarantineRow = typeof QuarantineRow.Type

export const DifferenceRow = Schema.Struct({
  resource: Schema.String,
  name: Schema.String,
  offering: Schema.String,
  offeringName: Schema.String,
  ...Difference.fields
})
export type DifferenceRow = typeof DifferenceRow.Type

/** Something in the cloud whose owner tag names a resource that is none any more. `site-actors orphans --remove` removes it. */
export const OrphanRow = Schema.Struct({
  offering: Schema.String,
  offeringName: Schema.String,
  /** "group", "vm" */
  kind: Schema.String,
  id: Schema.String,
  name: Schema.String,
  /** The resource that its owner tag names. */
  resource: Schema.String,
  /**
   * `terminated`: Waldur has the resource as ended; `unknown here`: no Waldur knows it, but this journal does, as ended; `forgotten`: as living;
   * `stranger`: neither does. `surplus`: that resource lives, and is another object. `untagged`: it has no tag, and is called as what a create would have made
   * that failed; it may be anybody's.
   */
  why: Schema.Literal("terminated", "unknown here", "forgotten", "stranger", "surplus", "untagged")
})
export type OrphanRow = typeof OrphanRow.Type

export const Orphans = Schema.Struct({
  at: Millis,
  rows: Schema.Array(OrphanRow),
  /** Offerings that could not be looked at, one sentence each. */
  problems: Schema.Array(Schema.String)
})
export type Orphans = typeof Orphans.Type

export const troubles = HttpApiGroup.make("troubles")
  .add(HttpApiEndpoint.get("leftovers", "/api/leftovers").addSuccess(Schema.Array(LeftoverRow)).addError(Unavailable))
  .add(
    HttpApiEndpoint.get("quarantine", "/api/quarantine").addSuccess(Schema.Array(QuarantineRow)).addError(Unavailable)
  )
  /** The oldest first. */
  .add(
    HttpApiEndpoint.get("differences", "/api/differences")
      .setUrlParams(
        Schema.Struct({
          ...pageParams,
          offering: Schema.optional(Uuid),
          kind: Schema.optional(Schema.String.pipe(Schema.maxLength(50))),
          search
        })
      )
      .addSuccess(pageOf(DifferenceRow))
      .addError(Refused)
      .addError(Unavailable)
  )
  /** Reads Waldur and the backends, for thirty seconds at most. */
  .add(HttpApiEndpoint.get("orphans", "/api/orphans").addSuccess(Orphans).addError(Unavailable))
  .middleware(Known)
