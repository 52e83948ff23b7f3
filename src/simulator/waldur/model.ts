/**
 * The nouns of the simulated marketplace, as plain mutable records. Instants are milliseconds since 1970; uuids are 32 hex
 * digits without dashes, as Waldur answers them. Names and states are Waldur's.
 */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | JsonObject
/** A key whose value is `undefined` is absent from the answer: older servers leave empty relations out. */
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export type OrderState =
  | "pending-consumer"
  | "pending-project"
  | "pending-start-date"
  | "pending-provider"
  | "executing"
  | "done"
  | "erred"
  | "canceled"
  | "rejected"

export const orderStates: ReadonlyArray<OrderState> = [
  "pending-consumer",
  "pending-project",
  "pending-start-date",
  "pending-provider",
  "executing",
  "done",
  "erred",
  "canceled",
  "rejected"
]

export type OrderType = "Create" | "Update" | "Terminate" | "Restore"
export const orderTypes: ReadonlyArray<OrderType> = ["Create", "Update", "Terminate", "Restore"]

export type ResourceState = "Creating" | "OK" | "Erred" | "Updating" | "Terminating" | "Terminated"
export const resourceStates: ReadonlyArray<ResourceState> = [
  "Creating",
  "OK",
  "Erred",
  "Updating",
  "Terminating",
  "Terminated"
]

export type AccountingType = "limit" | "fixed" | "usage" | "one"

/** Component type -> amount. Waldur stores integers; a provider's agent may store anything (`set_limits` does not look). */
export type Amounts = { [type: string]: Json | undefined }

export interface Component {
  readonly uuid: string
  readonly type: string
  readonly name: string
  readonly accountingType: AccountingType
  readonly measuredUnit: string
  /** From the offering's unit to the backend's, 1024 for GB that become MB. */
  readonly unitFactor: number | null
  readonly minValue: number | null
  readonly maxValue: number | null
}

export interface Plan {
  readonly uuid: string
  readonly name: string
  /** Component type -> amount: what a `fixed` component comes to in this plan. */
  readonly quotas: { readonly [type: string]: number }
  readonly prices: { readonly [type: string]: number }
}

export interface Customer {
  readonly uuid: string
  readonly name: string
  readonly slug: string
}

/** An organisation in its part as a provider: with a uuid of its own, under which its keys and users are found. */
export interface ServiceProvider {
  readonly uuid: string
  readonly customer: Customer
  readonly created: number
}

export interface Project {
  readonly uuid: string
  readonly name: string
  readonly slug: string
  readonly customer: Customer
  /** Orders wait as `pending-project` until this instant. */
  readonly startsAt: number | null
  /** YYYY-MM-DD: from then on it is over. */
  endDate?: string
  /** A policy of its costs that blocks modifications has fired: today's server alone has such. */
  blocksModification?: boolean
}

/** In Waldur's own words. */
export interface BackendIdRules extends JsonObject {
  readonly format?: { readonly regex: string; readonly description?: string }
  /** Among the resources of the offering, or of all its provider's. `include_terminated`: default true. */
  readonly uniqueness?: { readonly scope: "offering" | "service_provider"; readonly include_terminated?: boolean }
}

export interface Offering {
  readonly uuid: string
  readonly name: string
  readonly slug: string
  /** `Marketplace.Slurm` on the recorded servers, `Marketplace.Slurm` or `OpenNebula` and the like elsewhere. */
  readonly type: string
  readonly customer: Customer
  readonly created: number
  readonly components: Array<Component>
  readonly plans: ReadonlyArray<Plan>
  readonly pluginOptions: JsonObject
  /** What the provider wants of its resources' backend ids: today's server alone has such. */
  backendIdRules?: BackendIdRules
  /** Waldur: `SlurmPeriodicUsagePolicy`. Today's server alone has such. */
  hasPeriodicUsagePolicy?: boolean
  readonly secretOptions: JsonObject
  readonly backendMetadata: JsonObject
  /** Roles that members of a resource can have, as `membership sync` reads them. */
  readonly roles: ReadonlyArray<JsonObject>
  /** When a site agent was last heard from, by its User-Agent. */
  agentSeenAt: number | null
  readonly integrationStatusUuid: string
  /** Of the service settings that the older server keeps its allocations under. */
  readonly serviceSettingsUuid: string
}

export type RoleName =
  | "CUSTOMER.OWNER"
  | "CUSTOMER.MANAGER"
  | "OFFERING.MANAGER"
  | "PROJECT.MANAGER"
  | "PROJECT.ADMIN"
  | "PROJECT.MEMBER"

export interface Role {
  readonly name: RoleName
  readonly scope: { readonly type: "customer" | "project" | "offering"; readonly uuid: string; readonly name: string }
  /** The organisation of an offering or project, absent for a role in an organisation itself. */
  readonly customer: Customer | null
  readonly created: number
}

export interface User {
  readonly uuid: string
  readonly username: string
  readonly fullName: string
  readonly email: string
  readonly slug: string
  token: string
  readonly isStaff: boolean
  readonly roles: Array<Role>
  readonly created: number
}

export interface SshKey {
  readonly uuid: string
  readonly name: string
  readonly publicKey: string
  readonly user: User
}

export interface PlanPeriod {
  readonly uuid: string
  readonly plan: Plan
  readonly start: number
  end: number | null
}

/** What the older server keeps beside the resource: a SLURM allocation, with states of its own. */
export interface Allocation {
  readonly uuid: string
  readonly created: number
  state: "Creation Scheduled" | "Creating" | "Update Scheduled" | "Updating" | "Deletion Scheduled" | "OK" | "Erred"
  backendId: string
}

export interface Resource {
  readonly uuid: string
  name: string
  readonly slug: string
  readonly offering: Offering
  readonly project: Project
  plan: Plan | null
  readonly attributes: JsonObject
  limits: Amounts
  cost: number | null
  state: ResourceState
  backendId: string
  backendMetadata: JsonObject
  endpoints: ReadonlyArray<JsonObject>
  currentUsages: { [type: string]: Json | undefined }
  allocation: Allocation | null
  /** Set by staff, and by Waldur itself when credit runs out. */
  paused: boolean
  downscaled: boolean
  restrictMemberAccess: boolean
  /** From its beginning: the published API has no resource without. */
  lastSync: number
  readonly created: number
  modified: number
  readonly planPeriods: Array<PlanPeriod>
}

export interface Order {
  readonly uuid: string
  readonly type: OrderType
  readonly resource: Resource
  readonly plan: Plan | null
  readonly oldPlan: Plan | null
  readonly attributes: JsonObject
  readonly limits: Amounts
  readonly cost: number | null
  /** The consumer wants the order carried out no sooner than this instant. */
  readonly startsAt: number | null
  state: OrderState
  backendId: string
  errorMessage: string
  errorTraceback: string
  rejectionComment: string
  readonly createdBy: User
  readonly created: number
  modified: number
  consumerReviewedBy: User | null
  consumerReviewedAt: number | null
  providerReviewedBy: User | null
  providerReviewedAt: number | null
}

export interface Usage {
  readonly uuid: string
  readonly resource: Resource
  readonly component: Component
  amount: number
  description: string
  readonly date: number
  /** First day of the month that the usage is billed in, `2026-11-01`. */
  readonly billingPeriod: string
  readonly created: number
  readonly users: Map<string, number>
}

export interface OfferingUser {
  readonly uuid: string
  readonly offering: Offering
  readonly user: User
  username: string
  state: string
  comment: string
  /** The provider lets this person have no access. */
  restricted: boolean
  readonly created: number
  modified: number
}

export const terminalOrderStates: ReadonlyArray<OrderState> = ["done", "erred", "canceled", "rejected"]

export const isLimitBased = (offering: Offering): boolean =>
  offering.components.some((component) => component.accountingType === "limit")
