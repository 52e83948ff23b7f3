/** A resource as it is answered, and what stands beside it: team, plan periods, the older server's allocation. */
import { limitTypes } from "../limits.js"
import { isLimitBased, type Json, type JsonObject, type Resource, type User } from "../model.js"
import { orderInProgress } from "../orders.js"
import { findOrder, type World } from "../world.js"
import { orderView } from "./orders.js"
import { address, instant, instantOrNull, type Origin, offeringAddress, planAddress } from "./parts.js"

/** What a resource that is read by itself has beside. */
interface Orders {
  readonly inProgress: Json
  readonly creation: Json
}

/** One resource of a list (recording 083): one literal, the offering's fields too, for what `orderView` says of it. */
export const resourceView = (world: World, origin: Origin, resource: Resource, orders?: Orders): JsonObject => {
  const { allocation, offering, plan, project } = resource
  const { customer } = project
  const { published } = world.behaviour
  const isLimited = isLimitBased(offering)
  const isSettled = resource.state === "OK" || resource.state === "Erred"
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
    attributes: resource.attributes,
    limits: resource.limits,
    uuid: resource.uuid,
    created: instant(resource.created),
    modified: instant(resource.modified),
    url: address(origin, `marketplace-resources/${resource.uuid}`),
    scope: allocation === null ? null : address(origin, `slurm-allocations/${allocation.uuid}`),
    description: "",
    state: resource.state,
    resource_uuid: allocation?.uuid ?? null,
    backend_id: resource.backendId,
    effective_id: "",
    resource_type: allocation === null ? null : "SLURM.Allocation",
    project: address(origin, `projects/${project.uuid}`),
    project_uuid: project.uuid,
    project_name: project.name,
    project_description: "",
    project_end_date: project.endDate ?? null,
    project_end_date_requested_by: null,
    customer_uuid: customer.uuid,
    customer_name: customer.name,
    backend_metadata: resource.backendMetadata,
    is_usage_based: offering.components.some(({ accountingType }) => accountingType === "usage"),
    is_limit_based: isLimited,
    name: resource.name,
    slug: resource.slug,
    current_usages: resource.currentUsages,
    can_terminate: isSettled && orderInProgress(world, resource) === undefined,
    report: null,
    end_date: null,
    end_date_requested_by: null,
    username: null,
    // The published API has an object always; the recorded servers null where nothing is billed by limit.
    limit_usage: isLimited || published ? Object.fromEntries(limitTypes(offering).map((type) => [type, null])) : null,
    downscaled: resource.downscaled,
    restrict_member_access: resource.restrictMemberAccess,
    paused: resource.paused,
    endpoints: resource.endpoints,
    error_message: "",
    error_traceback: "",
    offering_customer_uuid: offering.customer.uuid,
    options: null,
    available_actions: [],
    // What only the published API has.
    project_slug: published ? project.slug : undefined,
    customer_slug: published ? customer.slug : undefined,
    offering_slug: published ? offering.slug : undefined,
    offering_backend_id: published ? "" : undefined,
    last_sync: published ? instant(resource.lastSync) : undefined,
    offering_components: published
      ? offering.components.map(({ type, measuredUnit }) => ({ type, measured_unit: measuredUnit }))
      : undefined,
    order_in_progress: orders?.inProgress,
    creation_order: orders?.creation
  }
}

/** One resource read by itself: with the order that made it and the one under way (recording 056). */
export const resourceDetail = (world: World, origin: Origin, resource: Resource, viewer: User): JsonObject => {
  const creation = findOrder(world, resource, ({ type }) => type === "Create")
  const running = orderInProgress(world, resource)
  return resourceView(world, origin, resource, {
    inProgress: running === undefined ? null : orderView(world, origin, running, viewer),
    creation: creation === undefined ? null : orderView(world, origin, creation, viewer)
  })
}

const teamRoles: { readonly [role: string]: string } = {
  "PROJECT.ADMIN": "admin",
  "PROJECT.MEMBER": "member",
  "PROJECT.MANAGER": "manager"
}

/** Members of the resource's project (recording 085). */
export const teamView = (world: World, origin: Origin, resource: Resource): Json =>
  [...world.users.values()]
    .flatMap((user) => {
      const role = user.roles.find(({ scope }) => scope.uuid === resource.project.uuid)
      const account = [...world.offeringUsers.values()].find(
        (one) => one.user === user && one.offering === resource.offering
      )
      return role === undefined ? [] : [{ user, role: teamRoles[role.name] ?? null, account }]
    })
    .sort((one, other) => one.user.username.localeCompare(other.user.username))
    .map(({ user, role, account }) => ({
      url: address(origin, `users/${user.uuid}`),
      uuid: user.uuid,
      username: user.username,
      full_name: user.fullName,
      email: user.email,
      role,
      expiration_time: null,
      offering_user_username: account?.username ?? null,
      offering_user_state: world.behaviour.published ? (account?.state ?? null) : undefined
    }))

export const planPeriodsView = (resource: Resource): Json =>
  resource.planPeriods.map((period) => ({
    uuid: period.uuid,
    plan_name: period.plan.name,
    plan_uuid: period.plan.uuid,
    start: instant(period.start),
    end: instantOrNull(period.end),
    components: []
  }))
