/**
 * Orders and resources, as a handler sees them: checked, in the backend's units, and complete.
 *
 * A request is written into the journal when its order is accepted, and every later attempt reads it from there: what a handler
 * decides must not change because somebody edited the resource in Waldur in the meantime.
 */
import { Schema } from "effect"
import { Amounts } from "./components.js"

const uuid = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{32}$/))

/** Waldur's uuids: 32 hexadecimal digits, lower case, no dashes. */
export const OrderId = uuid.pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type
export const ResourceId = uuid.pipe(Schema.brand("ResourceId"))
export type ResourceId = typeof ResourceId.Type
export const OfferingId = uuid.pipe(Schema.brand("OfferingId"))
export type OfferingId = typeof OfferingId.Type
export const ProjectId = uuid.pipe(Schema.brand("ProjectId"))
export type ProjectId = typeof ProjectId.Type

export const OrderType = Schema.Literal("Create", "Update", "Terminate", "Restore")
export type OrderType = typeof OrderType.Type

/** The resource that an order is about. */
export const Resource = Schema.Struct({
  id: ResourceId,
  /** The customer's label: any text. Never an identity. */
  name: Schema.String,
  /** Waldur's slug of it; empty on servers that have none. */
  slug: Schema.String,
  offering: OfferingId,
  project: ProjectId,
  projectName: Schema.String,
  /** What the backend calls it; empty while it has none. */
  backendId: Schema.String,
  /** `backend_metadata` as it stood when the order was accepted; of that, what the backend has kept (`Backend.keptMetadata`). */
  backendMetadata: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  /** See `KnownResource`. Absent: an earlier version has accepted the order. */
  recorded: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.String }), { exact: true })
})
export type Resource = typeof Resource.Type

const common = {
  order: OrderId,
  resource: Resource,
  /** The offering's `plugin_options` in Waldur: they win over the settings in the configuration file. */
  pluginOptions: Schema.Record({ key: Schema.String, value: Schema.Unknown })
}

/** Make the resource. `amounts`: what it shall have, in the backend's units, from the order's limits and its plan's quotas. */
export const CreateRequest = Schema.TaggedStruct("Create", {
  ...common,
  attributes: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  amounts: Amounts
})
/** Give the resource other sizes. `amounts`: all that it shall have afterwards, changed or not; `change`: what led to it. */
export const UpdateRequest = Schema.TaggedStruct("Update", {
  ...common,
  attributes: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
  amounts: Amounts,
  change: Schema.Literal("limits", "plan")
})
/** End the resource. Without a `backendId` there is nothing to end but what a failed create may have left. */
export const TerminateRequest = Schema.TaggedStruct("Terminate", {
  ...common,
  attributes: Schema.Record({ key: Schema.String, value: Schema.Unknown })
})

/** Take an ended resource back into use, as it stands in the backend: what was ended there is gone. */
export const RestoreRequest = Schema.TaggedStruct("Restore", common)

export const OrderRequest = Schema.Union(CreateRequest, UpdateRequest, TerminateRequest, RestoreRequest)
export type OrderRequest = typeof OrderRequest.Type

/** A request whose attributes have passed the backend's own schema. */
export type WithAttributes<Request, Attributes> = Omit<Request, "attributes"> & { readonly attributes: Attributes }
export type CreateRequest<Attributes> = WithAttributes<typeof CreateRequest.Type, Attributes>
export type UpdateRequest = typeof UpdateRequest.Type
export type TerminateRequest = typeof TerminateRequest.Type
export type RestoreRequest = typeof RestoreRequest.Type
