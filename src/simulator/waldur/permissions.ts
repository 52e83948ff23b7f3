/**
 * Who sees what, and who may do what. What one does not see is 404, what one sees but may not do is 403.
 *
 * Recorded: an organisation's owner approves orders (030, 052), an offering manager only reads orders and writes resources
 * (045, 062, 077), a project's admin and manager order but do not approve (028, 157), a project's member only looks (092, 156).
 */
import type { Offering, Order, Project, Resource, RoleName, User } from "./model.js"

const has = (user: User, names: ReadonlyArray<RoleName>, scopeUuid: string): boolean =>
  user.roles.some((role) => role.scope.uuid === scopeUuid && names.includes(role.name))

const projectRoles: ReadonlyArray<RoleName> = ["PROJECT.MANAGER", "PROJECT.ADMIN", "PROJECT.MEMBER"]

/** Sees the provider's side: the offering, its orders and its resources. */
export const isProvider = (user: User, offering: Offering): boolean =>
  user.isStaff ||
  has(user, ["OFFERING.MANAGER"], offering.uuid) ||
  has(user, ["CUSTOMER.OWNER"], offering.customer.uuid)

/** Decides on orders of the offering: approve, reject, done, erred. */
export const ownsProvider = (user: User, offering: Offering): boolean =>
  user.isStaff || has(user, ["CUSTOMER.OWNER"], offering.customer.uuid)

export const seesProject = (user: User, project: Project): boolean =>
  user.isStaff || has(user, projectRoles, project.uuid) || has(user, ["CUSTOMER.OWNER"], project.customer.uuid)

export const ownsProject = (user: User, project: Project): boolean =>
  user.isStaff || has(user, ["CUSTOMER.OWNER"], project.customer.uuid)

/** May order, change and end resources in the project. */
export const ordersIn = (user: User, project: Project): boolean =>
  ownsProject(user, project) || has(user, ["PROJECT.MANAGER", "PROJECT.ADMIN"], project.uuid)

export const seesOrder = (user: User, order: Order): boolean =>
  seesProject(user, order.resource.project) || isProvider(user, order.resource.offering)

export const seesAsConsumer = (user: User, resource: Resource): boolean => seesProject(user, resource.project)

export const seesAsProvider = (user: User, resource: Resource): boolean => isProvider(user, resource.offering)
