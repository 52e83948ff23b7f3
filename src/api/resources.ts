/** Resources: all of them in pages, one with what it is made of, and a live look at one in the backend. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { Schema } from "effect"
import { ActionKind } from "./action-kinds.js"
import { Length, Millis, pageOf, pageParams, Refused, search, Unavailable, Unknown, Uuid } from "./common.js"
import { OrderRow } from "./orders.js"
import { Known } from "./session.js"

/**
 * How it stands with the resource itself: `making` (its creation is not over), `active`, `failed` (its creation failed), `ended`.
 * Whether an order is in work is told beside it.
 */
export const Life = Schema.Literal("making", "active", "failed", "ended")
export type Life = typeof Life.Type

export const ResourceRow = Schema.Struct({
  resource: Schema.String,
  /** The customer's label: any text. */
  name: Schema.String,
  offering: Schema.String,
  offeringName: Schema.String,
  /** What the backend calls it; empty while it has no name there, or none is known. */
  backendId: Schema.String,
  life: Life,
  /** Waldur's word at the last look: `OK`, `Erred`; empty: not looked at yet. */
  marketplaceState: Schema.String,
  /** The backend's word at the last look: `Running`, `missing`; empty: not looked at yet. */
  state: Schema.String,
  /** `null`: not looked at yet. */
  healthy: Schema.NullOr(Schema.Boolean),
  /** What Waldur wants of it: `active`, `downscaled`, `paused`; empty: not looked at yet. */
  standing: Schema.String,
  /** In how many things it differs from what Waldur says. */
  differences: Schema.Int,
  /** The order that is in work now; `null`: none. */
  order: Schema.NullOr(Schema.String),
  /** When it was last looked at. */
  looked: Schema.NullOr(Millis)
})
export type ResourceRow = typeof ResourceRow.Type

/** `differing`: not as Waldur says; `missing`: gone from the backend; `unhealthy`; `busy`: an order is in work; or how it stands with it. */
export const ResourceFilter = Schema.Union(Life, Schema.Literal("differing", "missing", "unhealthy", "busy"))
export type ResourceFilter = typeof ResourceFilter.Type

export const Difference = Schema.Struct({
  /** `quotas`, `sizes`, `state`, `owner`, `network`, `isolation`, `missing`, `standing`, `project`. */
  kind: Schema.String,
  /** What it is about: "ram", "network 12". */
  subject: Schema.String,
  expected: Schema.String,
  found: Schema.String,
  /** What differs, in one sentence. */
  sentence: Schema.String,
  /** `report`: it is shown; `repair`: it is put right. */
  policy: Schema.String,
  since: Millis,
  /** What came of the last try to put it right; `null`: none yet. */
  outcome: Schema.NullOr(Schema.String)
})

/** One thing that the resource is made of. */
export const Part = Schema.Struct({
  /** Unique within the resource: "network 12". */
  key: Schema.String,
  /** `group`, `vdc`, `cluster`, `network`, `subnet`, `router`, `vm`, `security group`, `user`, ...; for those the page has a picture. */
  kind: Schema.String,
  /** The backend's id; empty if the kind has none (a subnet). */
  id: Schema.String,
  /** The backend's name; empty: not known. */
  name: Schema.String,
  /** The backend's word; empty: the kind has none, or it is not known. */
  state: Schema.String,
  /** `null`: not known. */
  healthy: Schema.NullOr(Schema.Boolean),
  /** What else is worth knowing: "10.4.0.0/24, gateway 10.4.0.1"; may be empty. */
  detail: Schema.String,
  /** `key` of what it belongs to; `null`: to the resource itself. */
  parent: Schema.NullOr(Schema.String),
  /** In what it differs: sentences. */
  drift: Schema.Array(Schema.String)
})
export type Part = typeof Part.Type

/** In the offering's units. */
export const Quota = Schema.Struct({
  component: Schema.String,
  name: Schema.String,
  unit: Schema.String,
  /** `null`: there is no limit, or it is not known. */
  limit: Schema.NullOr(Schema.Number),
  /** `null`: not known. */
  used: Schema.NullOr(Schema.Number)
})

export type Quota = typeof Quota.Type

/** What was done about the resource without an order. */
export const Reconciliation = Schema.Struct({
  at: Millis,
  step: Schema.String,
  event: Schema.String,
  detail: Schema.String
})

export type Reconciliation = typeof Reconciliation.Type

export const ResourceDetail = Schema.Struct({
  ...ResourceRow.fields,
  now: Millis,
  project: Schema.String,
  /** As the journal and the last look know it: at once, also while the backend is away. A live look knows more. */
  parts: Schema.Array(Part),
  /** As last ordered and last reported. */
  quotas: Schema.Array(Quota),
  differencesFound: Schema.Array(Difference),
  /** What the last look remembers beside: `group_id`, `ip_address`. */
  facts: Schema.Record({ key: Schema.String, value: Schema.String }),
  /** The newest first, at most 50; the rest with `/api/orders?resource=`. */
  orders: Schema.Array(OrderRow),
  /** The newest first, at most 50. */
  reconciliations: Schema.Array(Reconciliation),
  /** What may be done about it now, by those who may. */
  actions: Schema.Array(ActionKind)
})
export type ResourceDetail = typeof ResourceDetail.Type

/** The resource in the backend at this moment. */
export const LiveLook = Schema.Struct({
  at: Millis,
  /** How long the look took. */
  ms: Length,
  /** `looked`: all below is of now. Else one sentence in `reason` says why there is nothing, and the lists are empty. */
  outcome: Schema.Literal("looked", "missing", "foreign", "not open", "no answer", "refused"),
  reason: Schema.String,
  state: Schema.String,
  healthy: Schema.NullOr(Schema.Boolean),
  parts: Schema.Array(Part),
  quotas: Schema.Array(Quota)
})
export type LiveLook = typeof LiveLook.Type

export const resources = HttpApiGroup.make("resources")
  /** By name, upper and lower case alike. Without `state`, all that have not ended. */
  .add(
    HttpApiEndpoint.get("list", "/api/resources")
      .setUrlParams(
        Schema.Struct({
          ...pageParams,
          offering: Schema.optional(Uuid),
          state: Schema.optional(ResourceFilter),
          search
        })
      )
      .addSuccess(pageOf(ResourceRow))
      .addError(Refused)
      .addError(Unavailable)
  )
  .add(
    HttpApiEndpoint.get("resource")`/api/resources/${HttpApiSchema.param("resource", Uuid)}`
      .addSuccess(ResourceDetail)
      .addError(Unknown)
      .addError(Unavailable)
  )
  /** Asks the backend, for ten seconds at most. One look at a resource at a time: who asks meanwhile gets the same. */
  .add(
    HttpApiEndpoint.get("look")`/api/resources/${HttpApiSchema.param("resource", Uuid)}/look`
      .addSuccess(LiveLook)
      .addError(Unknown)
      .addError(Unavailable)
  )
  .middleware(Known)
