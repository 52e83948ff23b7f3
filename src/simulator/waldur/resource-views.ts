/** A resource as it is answered, and what stands beside it: team, plan periods, the older server's allocation. */
import { limitTypes } from "./limits.js"
import type { Wanted } from "./lists.js"
import { isLimitBased, type Json, type JsonObject, type Resource, type User } from "./model.js"
import { offeringPart, orderView } from "./order-views.js"
import { orderInProgress } from "./orders.js"
import { address, instant, instantOrNull, type Origin } from "./views.js"
import { findOrder, type World } from "./world.js"

interface Shown {
  readonly world: World
  readonly origin: Origin
  readonly resource: Resource
}

/**
 * The fields of a resource, in the server's order, each by itself: some are searched for among all orders, and an object of so many fields takes
 * V8 80 kB.
 */
const ownFields: { readonly [name: string]: (shown: Shown) => Json } = {
  attributes: ({ resource }) => resource.attributes,
  limits: ({ resource }) => resource.limits,
  uuid: ({ resource }) => resource.uuid,
  created: ({ resource }) => instant(resource.created),
  modified: ({ resource }) => instant(resource.modified),
  url: ({ origin, resource }) => address(origin, `marketplace-resources/${resource.uuid}`),
  scope: ({ origin, resource: { allocation } }) =>
    allocation === null ? null : address(origin, `slurm-allocations/${allocation.uuid}`),
  description: () => "",
  state: ({ resource }) => resource.state,
  resource_uuid: ({ resource }) => resource.allocation?.uuid ?? null,
  backend_id: ({ resource }) => resource.backendId,
  effective_id: () => "",
  resource_type: ({ resource }) => (resource.allocation === null ? null : "SLURM.Allocation"),
  project: ({ origin, resource }) => address(origin, `projects/${resource.project.uuid}`),
  project_uuid: ({ resource }) => resource.project.uuid,
  project_name: ({ resource }) => resource.project.name,
  project_description: () => "",
  project_end_date: ({ resource }) => resource.project.endDate ?? null,
  project_end_date_requested_by: () => null,
  customer_uuid: ({ resource }) => resource.project.customer.uuid,
  customer_name: ({ resource }) => resource.project.customer.name,
  backend_metadata: ({ resource }) => resource.backendMetadata,
  is_usage_based: ({ resource }) =>
    resource.offering.components.some(({ accountingType }) => accountingType === "usage"),
  is_limit_based: ({ resource }) => isLimitBased(resource.offering),
  name: ({ resource }) => resource.name,
  slug: ({ resource }) => resource.slug,
  current_usages: ({ resource }) => resource.currentUsages,
  can_terminate: ({ world, resource }) =>
    (resource.state === "OK" || resource.state === "Erred") && orderInProgress(world, resource) === undefined,
  report: () => null,
  end_date: () => null,
  end_date_requested_by: () => null,
  username: () => null,
  limit_usage: ({ resource: { offering } }) =>
    isLimitBased(offering) ? Object.fromEntries(limitTypes(offering).map((type) => [type, null])) : null,
  downscaled: ({ resource }) => resource.downscaled,
  restrict_member_access: ({ resource }) => resource.restrictMemberAccess,
  paused: ({ resource }) => resource.paused,
  endpoints: ({ resource }) => resource.endpoints,
  error_message: () => "",
  error_traceback: () => "",
  offering_customer_uuid: ({ resource }) => resource.offering.customer.uuid,
  options: () => null,
  available_actions: () => []
}

/** What only the published API has. */
const publishedFields: typeof ownFields = {
  project_slug: ({ resource }) => resource.project.slug,
  customer_slug: ({ resource }) => resource.project.customer.slug,
  offering_slug: ({ resource }) => resource.offering.slug,
  offering_backend_id: () => "",
  last_sync: ({ resource }) => instantOrNull(resource.lastSync),
  offering_components: ({ resource }) =>
    resource.offering.components.map(({ type, measuredUnit }) => ({ type, measured_unit: measuredUnit }))
}

const everything: Wanted = () => true

/** One resource of a list (recording 083). */
export const resourceView = (world: World, origin: Origin, resource: Resource, wanted = everything): JsonObject => {
  const view: { [name: string]: Json | undefined } = {}
  const part = offeringPart(world, origin, { resource, plan: resource.plan })
  for (const name of Object.keys(part)) if (wanted(name)) view[name] = part[name]
  const shown = { world, origin, resource }
  for (const fields of world.behaviour.published ? [ownFields, publishedFields] : [ownFields])
    for (const name of Object.keys(fields)) if (wanted(name)) view[name] = fields[name]?.(shown)
  return view
}

/** One resource read by itself: with the order that made it and the one under way (recording 056). */
export const resourceDetail = (world: World, origin: Origin, resource: Resource, viewer: User): Json => {
  const creation = findOrder(world, resource, ({ type }) => type === "Create")
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
