/** An order as it is answered: the long form of lists and details, and the other form that answers a create. */
import type { Json, JsonObject, Order, User } from "./model.js"
import { address, decimal, instant, instantOrNull, type Origin, offeringAddress, planAddress } from "./views.js"
import type { World } from "./world.js"

/** The first keys of an order and of a resource, which are the same. */
export const offeringPart = (world: World, origin: Origin, order: Pick<Order, "resource" | "plan">): JsonObject => {
  const { offering } = order.resource
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
    plan: order.plan === null ? null : planAddress(origin, offering, order.plan),
    ...(order.plan === null
      ? {}
      : {
          plan_unit: "month",
          plan_name: order.plan.name,
          plan_uuid: order.plan.uuid,
          plan_description: ""
        })
  }
}

const orderPart = (world: World, origin: Origin, order: Order, viewer: User): JsonObject => ({
  ...offeringPart(world, origin, order),
  attributes: order.attributes,
  limits: order.limits,
  uuid: order.uuid,
  created: instant(order.created),
  modified: instant(order.modified),
  type: order.type,
  resource_uuid: order.resource.allocation?.uuid ?? null,
  resource_type: order.resource.allocation === null ? null : "SLURM.Allocation",
  resource_name: order.resource.name,
  cost: decimal(order.cost),
  state: order.state,
  output: "",
  marketplace_resource_uuid: order.resource.uuid,
  error_message: order.errorMessage,
  // Only the marketplace's staff see tracebacks (recordings 130 and 131).
  error_traceback: viewer.isStaff ? order.errorTraceback : undefined,
  callback_url: null
})

/** Sum of the prices of the components of fixed size, for a create order (recordings 137 and 148). */
const fixedPrice = (order: Order): number =>
  order.type !== "Create"
    ? 0
    : order.resource.offering.components
        .filter(({ accountingType }) => accountingType === "fixed")
        .reduce((sum, { type }) => sum + (order.plan?.prices[type] ?? 0), 0)

export const orderView = (world: World, origin: Origin, order: Order, viewer: User): JsonObject => {
  const { project, offering } = order.resource
  return {
    ...orderPart(world, origin, order, viewer),
    consumer_reviewed_by: order.consumerReviewedBy?.username,
    consumer_reviewed_by_full_name: order.consumerReviewedBy?.fullName,
    consumer_reviewed_at: instantOrNull(order.consumerReviewedAt),
    provider_reviewed_by: order.providerReviewedBy?.username,
    provider_reviewed_by_full_name: order.providerReviewedBy?.fullName,
    provider_reviewed_at: instantOrNull(order.providerReviewedAt),
    created_by_full_name: order.createdBy.fullName,
    created_by_civil_number: null,
    customer_name: project.customer.name,
    customer_uuid: project.customer.uuid,
    customer_slug: project.customer.slug,
    project_name: project.name,
    project_uuid: project.uuid,
    project_description: "",
    project_slug: project.slug,
    old_plan_name: order.oldPlan?.name,
    new_plan_name: order.plan?.name,
    old_plan_uuid: order.oldPlan?.uuid,
    new_plan_uuid: order.plan?.uuid,
    old_cost_estimate: order.resource.cost,
    new_cost_estimate: order.cost,
    can_terminate: false,
    // Absent on a create order without a plan (recording 198).
    ...(order.type === "Create" && order.plan === null ? {} : { fixed_price: fixedPrice(order), activation_price: 0 }),
    termination_comment: null,
    backend_id: order.backendId,
    issue: null,
    ...(world.behaviour.published
      ? {
          offering_uuid: offering.uuid,
          consumer_rejection_comment: "",
          provider_rejection_comment: order.rejectionComment,
          start_date: order.startsAt === null ? null : instant(order.startsAt).slice(0, 10),
          slug: order.uuid.slice(0, 8)
        }
      : {})
  }
}

/** The answer to `POST marketplace-orders/`, recordings 025 and 136. */
export const createdOrderView = (world: World, origin: Origin, order: Order, viewer: User): Json => {
  const { project } = order.resource
  const reviewer = order.consumerReviewedBy
  return {
    ...orderPart(world, origin, order, viewer),
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
