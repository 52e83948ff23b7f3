/** An order as it is answered: the long form of lists and details, and the other form that answers a create. */
import type { Json, JsonObject, Order, User } from "../model.js"
import type { World } from "../world.js"
import { address, decimal, instant, instantOrNull, type Origin, offeringAddress, planAddress } from "./parts.js"

/** Sum of the prices of the components of fixed size, for a create order (recordings 137 and 148). */
const fixedPrice = (order: Order): number =>
  order.type !== "Create"
    ? 0
    : order.resource.offering.components
        .filter(({ accountingType }) => accountingType === "fixed")
        .reduce((sum, { type }) => sum + (order.plan?.prices[type] ?? 0), 0)

/**
 * One literal of all fields, with `undefined` where a key is absent: V8 makes it in one piece, and of parts put together it makes a table of many
 * times the size and time.
 */
export const orderView = (world: World, origin: Origin, order: Order, viewer: User): JsonObject => {
  const { resource, plan } = order
  const { project, offering } = resource
  const { customer } = project
  const { published } = world.behaviour
  // Absent on a create order without a plan (recording 198).
  const isPriced = order.type !== "Create" || plan !== null
  return {
    offering: offeringAddress(origin, offering),
    offering_name: offering.name,
    offering_uuid: offering.uuid,
    offering_description: "",
    offering_image: null,
    offering_thumbnail: null,
    offering_type: offering.type,
    offering_terms_of_service: "",
    offering_shared: true,
    offering_billable: true,
    offering_plugin_options: offering.pluginOptions,
    provider_name: offering.customer.name,
    provider_uuid: offering.customer.uuid,
    category_title: world.category.title,
    category_uuid: world.category.uuid,
    category_icon: null,
    plan: plan === null ? null : planAddress(origin, offering, plan),
    plan_unit: plan === null ? undefined : "month",
    plan_name: plan?.name,
    plan_uuid: plan?.uuid,
    plan_description: plan === null ? undefined : "",
    attributes: order.attributes,
    limits: order.limits,
    uuid: order.uuid,
    created: instant(order.created),
    modified: instant(order.modified),
    type: order.type,
    resource_uuid: resource.allocation?.uuid ?? null,
    resource_type: resource.allocation === null ? null : "SLURM.Allocation",
    resource_name: resource.name,
    cost: decimal(order.cost),
    state: order.state,
    output: "",
    marketplace_resource_uuid: resource.uuid,
    error_message: order.errorMessage,
    // Only the marketplace's staff see tracebacks (recordings 130 and 131).
    error_traceback: viewer.isStaff ? order.errorTraceback : undefined,
    callback_url: null,
    consumer_reviewed_by: order.consumerReviewedBy?.username,
    consumer_reviewed_by_full_name: order.consumerReviewedBy?.fullName,
    consumer_reviewed_at: instantOrNull(order.consumerReviewedAt),
    provider_reviewed_by: order.providerReviewedBy?.username,
    provider_reviewed_by_full_name: order.providerReviewedBy?.fullName,
    provider_reviewed_at: instantOrNull(order.providerReviewedAt),
    created_by_full_name: order.createdBy.fullName,
    created_by_civil_number: null,
    customer_name: customer.name,
    customer_uuid: customer.uuid,
    customer_slug: customer.slug,
    project_name: project.name,
    project_uuid: project.uuid,
    project_description: "",
    project_slug: project.slug,
    old_plan_name: order.oldPlan?.name,
    new_plan_name: plan?.name,
    old_plan_uuid: order.oldPlan?.uuid,
    new_plan_uuid: plan?.uuid,
    old_cost_estimate: resource.cost,
    new_cost_estimate: order.cost,
    can_terminate: false,
    fixed_price: isPriced ? fixedPrice(order) : undefined,
    activation_price: isPriced ? 0 : undefined,
    termination_comment: null,
    backend_id: order.backendId,
    issue: null,
    consumer_rejection_comment: published ? "" : undefined,
    provider_rejection_comment: published ? order.rejectionComment : undefined,
    start_date: published ? (order.startsAt === null ? null : instant(order.startsAt).slice(0, 10)) : undefined,
    slug: published ? order.uuid.slice(0, 8) : undefined
  }
}

/** The fields up to `callback_url`, which both forms have. */
const beginningOf = (view: JsonObject): JsonObject => {
  const names = Object.keys(view)
  const part: { [name: string]: Json | undefined } = {}
  for (const name of names.slice(0, names.indexOf("callback_url") + 1)) part[name] = view[name]
  return part
}

/** The answer to `POST marketplace-orders/`, recordings 025 and 136. */
export const createdOrderView = (world: World, origin: Origin, order: Order, viewer: User): Json => {
  const { project } = order.resource
  const reviewer = order.consumerReviewedBy
  return {
    ...beginningOf(orderView(world, origin, order, viewer)),
    url: address(origin, `marketplace-orders/${order.uuid}`),
    created_by: address(origin, `users/${order.createdBy.uuid}`),
    created_by_username: order.createdBy.username,
    created_by_full_name: order.createdBy.fullName,
    consumer_reviewed_by: reviewer === null ? null : address(origin, `users/${reviewer.uuid}`),
    consumer_reviewed_at: instantOrNull(order.consumerReviewedAt),
    consumer_reviewed_by_username: reviewer?.username,
    consumer_reviewed_by_full_name: reviewer?.fullName,
    project: address(origin, `projects/${project.uuid}`),
    project_uuid: project.uuid,
    project_name: project.name,
    project_description: "",
    customer_name: project.customer.name,
    customer_uuid: project.customer.uuid
  }
}
