/** Orders, as `GET marketplace-orders/` gives them to a provider's agent (recordings 032 and 054, both generations). */
import { Schema } from "effect"
import { attributes, optionalText, optionalUuid, orderedAmounts, text, uuid, type Word, word } from "./lenient.js"

export const orderStates = [
  "pending-consumer",
  "pending-project",
  "pending-start-date",
  "pending-provider",
  "executing",
  "done",
  "erred",
  "canceled",
  "rejected"
] as const
/** `unknown:` and the server's word for a state that we do not know. */
export type OrderState = Word<(typeof orderStates)[number]>

export const orderTypes = ["Create", "Update", "Terminate", "Restore"] as const
export type OrderType = Word<(typeof orderTypes)[number]>

/** An order in work comes to these by somebody else, or by its own failure. */
export const endedByOthers = ["canceled", "rejected", "erred"] as const
export const isEndedByOthers = (state: string | undefined): boolean => endedByOthers.some((one) => one === state)

/** States that an order only leaves when somebody intervenes: nothing is left to do for it. */
export const isFinal = (state: OrderState): boolean => state === "done" || isEndedByOthers(state)

export const Order = Schema.Struct({
  uuid: uuid("uuid"),
  type: word("type", orderTypes),
  state: word("state", orderStates),
  offeringUuid: optionalUuid("offering_uuid"),
  /** The marketplace resource: what `resource(uuid)` reads. There from the moment the order is placed. */
  resourceUuid: optionalUuid("marketplace_resource_uuid"),
  /**
   * What Waldur's own plugin keeps behind the resource (Waldur: `resource_uuid`), made by a background task after the approval. Older
   * servers fill it (2024 recording 054), today's leave it null for good.
   */
  scopeUuid: optionalUuid("resource_uuid"),
  /** The customer's label: any text. */
  resourceName: text("resource_name"),
  attributes: attributes("attributes"),
  /** In the offering's units, `NaN` for what is no number. Empty on a plan switch, unless the resource has limits: those are copied. */
  limits: orderedAmounts("limits"),
  /** On a plan switch the new plan. Absent from a Terminate. */
  planUuid: optionalUuid("plan_uuid"),
  /** Only there on a plan switch (2024 recording 148). */
  oldPlanUuid: optionalUuid("old_plan_uuid"),
  projectUuid: optionalUuid("project_uuid"),
  projectName: text("project_name"),
  customerUuid: optionalUuid("customer_uuid"),
  customerName: text("customer_name"),
  /** ISO 8601. */
  created: optionalText("created"),
  /** YYYY-MM-DD: the day on which it shall begin, for servers that let a customer choose one. */
  startDate: optionalText("start_date"),
  /** The order's own, for processing in the background; not the resource's. */
  backendId: optionalText("backend_id"),
  errorMessage: text("error_message"),
  /** The user name of who gave the provider's approval (recordings of both generations). */
  approvedBy: optionalText("provider_reviewed_by")
})
export type Order = typeof Order.Type

/** An order as far as the look at the queue needs it: there may be ten thousand, and it is read every few seconds. */
export const QueuedOrder = Schema.Struct({
  uuid: uuid("uuid"),
  state: word("state", orderStates),
  resourceUuid: optionalUuid("marketplace_resource_uuid"),
  projectUuid: optionalUuid("project_uuid"),
  /** When it was last changed: ISO 8601. */
  modified: optionalText("modified")
})
export type QueuedOrder = typeof QueuedOrder.Type
export const queuedOrderFields = ["uuid", "state", "marketplace_resource_uuid", "project_uuid", "modified"] as const

/** What to ask for (`field=`): several times faster than all. */
export const orderFields = [
  "uuid",
  "type",
  "state",
  "offering_uuid",
  "marketplace_resource_uuid",
  "resource_uuid",
  "resource_name",
  "attributes",
  "limits",
  "plan_uuid",
  "old_plan_uuid",
  "project_uuid",
  "project_name",
  "customer_uuid",
  "customer_name",
  "created",
  "start_date",
  "backend_id",
  "error_message",
  "provider_reviewed_by"
] as const
