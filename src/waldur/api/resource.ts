/** Resources, as `GET marketplace-provider-resources/` gives them (recordings 056, 082 and 083). */
import { Schema } from "effect"
import { attributes, flag, looseAmounts, optionalText, optionalUuid, text, uuid, type Word, word } from "./lenient.js"

export const resourceStates = ["Creating", "OK", "Updating", "Terminating", "Terminated", "Erred"] as const
/** `unknown:` and the server's word for a state that we do not know. */
export type ResourceState = Word<(typeof resourceStates)[number]>

export const ProviderResource = Schema.Struct({
  uuid: uuid("uuid"),
  /** The customer's label: any text, not unique. */
  name: text("name"),
  slug: text("slug"),
  state: word("state", resourceStates),
  backendId: optionalText("backend_id"),
  backendMetadata: attributes("backend_metadata"),
  /** In the offering's units. What is not a number is left out. */
  limits: looseAmounts("limits"),
  planUuid: optionalUuid("plan_uuid"),
  offeringUuid: optionalUuid("offering_uuid"),
  projectUuid: optionalUuid("project_uuid"),
  projectName: text("project_name"),
  /** YYYY-MM-DD, or ISO 8601: the day from which the project is over. */
  projectEndDate: optionalText("project_end_date"),
  customerUuid: optionalUuid("customer_uuid"),
  attributes: attributes("attributes"),
  /** See `Order.scopeUuid`. */
  scopeUuid: optionalUuid("resource_uuid"),
  parentUuid: optionalUuid("parent_uuid"),
  parentOfferingUuid: optionalUuid("parent_offering_uuid"),
  paused: flag("paused"),
  downscaled: flag("downscaled"),
  restrictMemberAccess: flag("restrict_member_access"),
  currentUsages: looseAmounts("current_usages"),
  errorMessage: text("error_message"),
  /** ISO 8601. */
  created: optionalText("created")
})
export type ProviderResource = typeof ProviderResource.Type

/** As little of a resource as a usage report needs: it reads all of an offering's. */
export const ReportedResource = Schema.Struct({
  uuid: uuid("uuid"),
  name: text("name"),
  state: word("state", resourceStates),
  backendId: optionalText("backend_id"),
  backendMetadata: attributes("backend_metadata")
})
export type ReportedResource = typeof ReportedResource.Type
export const reportedResourceFields = ["uuid", "name", "state", "backend_id", "backend_metadata"] as const

/** What to ask for (`field=`). */
export const resourceFields = [
  "uuid",
  "name",
  "slug",
  "state",
  "backend_id",
  "backend_metadata",
  "limits",
  "plan_uuid",
  "offering_uuid",
  "project_uuid",
  "project_name",
  "project_end_date",
  "customer_uuid",
  "attributes",
  "resource_uuid",
  "parent_uuid",
  "parent_offering_uuid",
  "paused",
  "downscaled",
  "restrict_member_access",
  "current_usages",
  "error_message",
  "created"
] as const
