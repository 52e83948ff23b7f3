/** The smaller things: who we are, keys, people, usages, the server's version. */
import { Schema } from "effect"
import { flag, list, optionalNumber, optionalText, optionalUuid, text, uuid } from "./lenient.js"

/** A role that somebody has on an organisation, a project or an offering. */
export const Permission = Schema.Struct({
  /** `CUSTOMER.OWNER`, `OFFERING.MANAGER`, ... */
  roleName: text("role_name"),
  /** `customer`, `project`, `offering`. */
  scopeType: text("scope_type"),
  scopeUuid: optionalUuid("scope_uuid"),
  scopeName: text("scope_name")
})
export type Permission = typeof Permission.Type

/** `GET users/me/` (recording 004). Its `token` is not read: nobody here needs it. */
export const User = Schema.Struct({
  uuid: uuid("uuid"),
  username: text("username"),
  fullName: text("full_name"),
  email: text("email"),
  permissions: list("permissions", Permission)
})
export type User = typeof User.Type

/** `GET marketplace-service-providers/{uuid}/keys/`. */
export const SshKey = Schema.Struct({
  uuid: uuid("uuid"),
  name: text("name"),
  publicKey: text("public_key"),
  userUuid: optionalUuid("user_uuid")
})
export type SshKey = typeof SshKey.Type

/** `GET marketplace-service-providers/`. */
export const ServiceProvider = Schema.Struct({ uuid: uuid("uuid"), customerUuid: optionalUuid("customer_uuid") })
export type ServiceProvider = typeof ServiceProvider.Type

/** `GET marketplace-provider-resources/{uuid}/team/` (recording 085). */
export const TeamMember = Schema.Struct({
  uuid: uuid("uuid"),
  username: text("username"),
  fullName: text("full_name"),
  email: text("email"),
  /** `admin`, `manager`, `member`, or the name of a custom role. */
  role: text("role"),
  /** The name that the offering gave this person. */
  offeringUsername: optionalText("offering_user_username"),
  expirationTime: optionalText("expiration_time")
})
export type TeamMember = typeof TeamMember.Type

/** `GET marketplace-offering-users/`: the account that a person has at an offering. */
export const OfferingUser = Schema.Struct({
  uuid: uuid("uuid"),
  userUuid: optionalUuid("user_uuid"),
  username: text("username"),
  /** `Requested`, `Creating`, `OK`, `Error creating`, `Requested deletion`, `Deleting`, `Deleted`, ... */
  state: text("state"),
  /** The provider lets this person have no access. */
  restricted: flag("is_restricted")
})
export type OfferingUser = typeof OfferingUser.Type
export const offeringUserFields = ["uuid", "user_uuid", "username", "state", "is_restricted"] as const

/** `GET marketplace-component-usages/`. Amounts in the offering's units. */
export const ComponentUsage = Schema.Struct({
  uuid: uuid("uuid"),
  type: text("type"),
  usage: optionalNumber("usage"),
  measuredUnit: text("measured_unit"),
  resourceUuid: optionalUuid("resource_uuid"),
  /** YYYY-MM-01. */
  billingPeriod: optionalText("billing_period"),
  /** ISO 8601. */
  date: optionalText("date")
})
export type ComponentUsage = typeof ComponentUsage.Type

/** `GET backend-resource-requests/`: Waldur wants to know what could be imported. In the published API only. */
export const ImportRequest = Schema.Struct({
  uuid: uuid("uuid"),
  /** `Sent`, `Processing`, `Done`, `Erred`; the published API is not clear about capitals. */
  state: text("state")
})
export type ImportRequest = typeof ImportRequest.Type

/** `GET backend-resources/`: what is on offer for import. In the published API only. */
export const BackendResource = Schema.Struct({
  uuid: uuid("uuid"),
  name: text("name"),
  backendId: text("backend_id")
})
export type BackendResource = typeof BackendResource.Type

/** `GET version/`. */
export const Version = Schema.Struct({ version: optionalText("version") })
export type Version = typeof Version.Type
