/** A resource as it is answered, and what stands beside it: team, plan periods, the older server's allocation. */
import { limitTypes } from "./limits.js"
import { isLimitBased, type Json, type JsonObject, type Resource, type User } from "./model.js"
import { offeringPart, orderView } from "./order-views.js"
import { orderInProgress } from "./orders.js"
import { address, instant, instantOrNull, type Origin } from "./views.js"
import type { World } from "./world.js"

/** One resource of a list (recording 083). */
export const resourceView = (world: World, origin: Origin, resource: Resource): JsonObject => {
  const { offering, project, allocation } = resource
  return {
    ...offeringPart(world, origin, { resource, plan: resource.plan }),
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
    customer_uuid: project.customer.uuid,
    customer_name: project.customer.name,
    backend_metadata: resource.backendMetadata,
    is_usage_based: offering.components.some(({ accountingType }) => accountingType === "usage"),
    is_limit_based: isLimitBased(offering),
    name: resource.name,
    slug: resource.slug,
    current_usages: resource.currentUsages,
    can_terminate:
      (resource.state === "OK" || resource.state === "Erred") && orderInProgress(world, resource) === undefined,
    report: null,
    end_date: null,
    end_date_requested_by: null,
    username: null,
    limit_usage: isLimitBased(offering) ? Object.fromEntries(limitTypes(offering).map((type) => [type, null])) : null,
    downscaled: resource.downscaled,
    restrict_member_access: resource.restrictMemberAccess,
    paused: resource.paused,
    endpoints: resource.endpoints,
    error_message: "",
    error_traceback: "",
    offering_customer_uuid: offering.customer.uuid,
    options: null,
    available_actions: [],
    ...(world.behaviour.published
      ? {
          project_slug: project.slug,
          customer_slug: project.customer.slug,
          offering_slug: offering.slug,
          offering_backend_id: "",
          last_sync: instantOrNull(resource.lastSync),
          offering_components: offering.components.map(({ type, measuredUnit }) => ({
            type,
            measured_unit: measuredUnit
          }))
        }
      : {})
  }
}

/** One resource read by itself: with the order that made it and the one under way (recording 056). */
export const resourceDetail = (world: World, origin: Origin, resource: Resource, viewer: User): Json => {
  const orders = [...world.orders.values()].filter((order) => order.resource === resource)
  const creation = orders.find(({ type }) => type === "Create")
  const running = orderInProgress(world, resource)
  return {
    ...resourceView(world, origin, resource),
    order_in_progress: running === undefined ? null : orderView(world, origin, running, viewer),
    creation_order: creation === undefined ? null : orderView(world, origin, creation, viewer)
  }
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
      return role === undefined ? [] : [{ user, role: teamRoles[role.name] ?? null }]
    })
    .sort((one, other) => one.user.username.localeCompare(other.user.username))
    .map(({ user, role }) => ({
      url: address(origin, `users/${user.uuid}`),
      uuid: user.uuid,
      username: user.username,
      full_name: user.fullName,
      email: user.email,
      role,
      expiration_time: null,
      offering_user_username:
        [...world.offeringUsers.values()].find((one) => one.user === user && one.offering === resource.offering)
          ?.username ?? null
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
