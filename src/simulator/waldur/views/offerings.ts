/** Offerings, components and plans as they are answered (recordings 007, 008, 011). */
import type { Component, Json, JsonObject, Offering, Plan } from "../model.js"
import type { World } from "../world.js"
import { address, decimal, instant, type Origin, planAddress } from "./parts.js"

const byName = <A extends { readonly name: string }>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  [...items].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0))

export const componentView = (world: World, component: Component): JsonObject => ({
  uuid: component.uuid,
  billing_type: component.accountingType,
  type: component.type,
  name: component.name,
  description: "",
  measured_unit: component.measuredUnit,
  limit_period: null,
  limit_amount: null,
  article_code: "",
  max_value: component.maxValue,
  min_value: component.minValue,
  max_available_limit: null,
  is_boolean: false,
  default_limit: null,
  factor: null,
  is_builtin: false,
  ...(world.behaviour.published ? { unit_factor: component.unitFactor ?? 1 } : {})
})

const perComponent = (offering: Offering, value: (type: string) => Json): JsonObject =>
  Object.fromEntries(byName(offering.components).map(({ type }) => [type, value(type)]))

const planType = (offering: Offering): string => {
  const types = new Set(offering.components.map(({ accountingType }) => accountingType))
  const [only] = types
  return types.size === 1 && only !== undefined ? (only === "usage" ? "usage-based" : only) : "mixed"
}

export const planView = (world: World, offering: Offering, plan: Plan, url: string): JsonObject => ({
  url,
  uuid: plan.uuid,
  name: plan.name,
  description: "",
  article_code: "",
  max_amount: null,
  archived: false,
  is_active: true,
  unit_price: "0.0000000000",
  unit: "month",
  init_price: 0,
  switch_price: 0,
  backend_id: "",
  organization_groups: [],
  prices: perComponent(offering, (type) => plan.prices[type] ?? 0),
  future_prices: perComponent(offering, () => null),
  quotas: perComponent(offering, (type) => plan.quotas[type] ?? 0),
  resources_count: 0,
  plan_type: planType(offering),
  minimal_price: offering.components.reduce((sum, { type, accountingType }) => {
    const amount = accountingType === "fixed" ? (plan.quotas[type] ?? 0) : 1
    return sum + amount * (plan.prices[type] ?? 0)
  }, 0),
  ...(world.behaviour.published
    ? { offering: offering.uuid, components: offering.components.map((component) => planComponent(plan, component)) }
    : {})
})

/** The published API's `NestedPlanComponent`; a client made from it reads no plan without. */
const planComponent = (plan: Plan, { measuredUnit, name, type }: Component): JsonObject => ({
  type,
  name,
  measured_unit: measuredUnit,
  amount: plan.quotas[type] ?? 0,
  price: decimal(plan.prices[type] ?? 0),
  future_price: null
})

/** The provider's address of a plan; customers have another one (`planAddress`). */
export const ownPlanView = (world: World, origin: Origin, offering: Offering, plan: Plan): JsonObject =>
  planView(world, offering, plan, address(origin, `marketplace-plans/${plan.uuid}`))

export const publicPlansView = (world: World, origin: Origin, offering: Offering): Json =>
  byName(offering.plans).map((plan) => planView(world, offering, plan, planAddress(origin, offering, plan)))

/** `scope` is the path of the viewpoint: the provider's or the public one. The public one hides the provider's secrets. */
export const offeringView = (world: World, origin: Origin, offering: Offering, scope: "provider" | "public"): Json => ({
  url: address(origin, `marketplace-${scope}-offerings/${offering.uuid}`),
  uuid: offering.uuid,
  created: instant(offering.created),
  name: offering.name,
  slug: offering.slug,
  description: "",
  full_description: "",
  terms_of_service: "",
  terms_of_service_link: "",
  privacy_policy_link: "",
  endpoints: [],
  roles: offering.roles,
  customer: address(origin, `customers/${offering.customer.uuid}`),
  customer_uuid: offering.customer.uuid,
  customer_name: offering.customer.name,
  project: null,
  category: address(origin, `marketplace-categories/${world.category.uuid}`),
  category_uuid: world.category.uuid,
  category_title: world.category.title,
  rating: null,
  attributes: {},
  options: { order: [], options: {} },
  resource_options: { order: [], options: {} },
  components: byName(offering.components).map((component) => componentView(world, component)),
  plugin_options: offering.pluginOptions,
  secret_options: scope === "provider" ? offering.secretOptions : undefined,
  backend_id_rules: scope === "provider" && world.behaviour.published ? (offering.backendIdRules ?? {}) : undefined,
  service_attributes: scope === "provider" ? {} : undefined,
  state: "Active",
  native_name: "",
  native_description: "",
  vendor_details: "",
  getting_started: "",
  integration_guide: "",
  thumbnail: null,
  order_count: 0,
  plans:
    scope === "provider"
      ? byName(offering.plans).map((plan) => ownPlanView(world, origin, offering, plan))
      : publicPlansView(world, origin, offering),
  screenshots: [],
  type: offering.type,
  shared: true,
  billable: true,
  scope: null,
  files: [],
  paused_reason: "",
  datacite_doi: "",
  citation_count: -1,
  latitude: null,
  longitude: null,
  country: "",
  backend_id: "",
  organization_groups: [],
  image: null,
  total_customers: 0,
  total_cost: 0,
  total_cost_estimated: 0,
  backend_metadata: offering.backendMetadata,
  integration_status:
    offering.agentSeenAt === null
      ? []
      : [{ status: "Active", last_request_timestamp: instant(offering.agentSeenAt), agent_type: "Order processing" }],
  google_calendar_is_public: null,
  google_calendar_link: null
})
