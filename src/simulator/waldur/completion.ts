/** What a finished order leaves on its resource, and where the older server cannot finish it. */
import { retireProject } from "./deletion.js"
import { breaksUpdates, costOf } from "./limits.js"
import type { Order, Plan, Resource } from "./model.js"
import { moveResource, newUuid, type World } from "./world.js"

const switchPlan = (world: World, resource: Resource, plan: Plan): void => {
  const now = world.now()
  const last = resource.planPeriods.at(-1)
  if (last !== undefined && last.end === null) last.end = now
  resource.plan = plan
  resource.planPeriods.push({ uuid: newUuid(world), plan, start: now, end: null })
}

/** What a finished order leaves on the resource. */
export const applyDone = (world: World, order: Order): void => {
  const { resource } = order
  if (order.type === "Terminate") {
    const period = resource.planPeriods.at(-1)
    if (period !== undefined) period.end = world.now()
    moveResource(world, resource, "Terminated")
    retireIfOver(world, resource)
    return
  }
  if (order.type === "Update" && order.oldPlan !== null && order.plan !== null) switchPlan(world, resource, order.plan)
  else if (order.type === "Update") {
    // One of other options alone has none (source: waldur-mastermind, marketplace/callbacks.py, `resource_update_succeeded`).
    if (Object.keys(order.limits).length > 0) resource.limits = { ...order.limits }
  } else if (resource.plan !== null) switchPlan(world, resource, resource.plan)
  resource.cost = costOf(resource.plan, resource.limits)
  moveResource(world, resource, "OK")
}

/**
 * With the last resource of a project that is over Waldur deletes it, Erred ones or not (source: waldur-mastermind, marketplace/handlers.py,
 * `delete_expired_project_if_every_resource_has_been_terminated`).
 */
const retireIfOver = (world: World, { project }: Resource): void => {
  if (project.endDate === undefined || Date.parse(project.endDate) > world.now()) return
  const others = [...world.resources.values()].filter((one) => one.project === project)
  if (others.every(({ state }) => state === "Terminated" || state === "Erred")) retireProject(world, project)
}

/**
 * True where the 2024 server crashes with a `KeyError` on the resource's limits, and any for a resource that has ended: there is no way
 * from there to OK (source: waldur-mastermind, marketplace/models.py, `set_state_ok`).
 */
export const crashesOnDone = (world: World, order: Order): boolean =>
  (order.type !== "Terminate" && order.resource.state === "Terminated") ||
  (world.behaviour.keyErrorOnFixedLimits &&
    order.type === "Update" &&
    breaksUpdates(order.resource.offering, order.resource.limits))
