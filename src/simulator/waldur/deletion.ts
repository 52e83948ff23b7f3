/** What is taken away beneath orders: resources, and projects with all that is in them. */
import type { Project, Resource } from "./model.js"
import { removeRoles } from "./seed.js"
import { removeOrder, type World } from "./world.js"

/** With its orders and usages, as `unlink` and the deletion of its project do it (source: waldur-mastermind, marketplace/models.py, `on_delete`). */
const removeResource = (world: World, resource: Resource): void => {
  for (const order of [...(world.ordersOf.get(resource) ?? [])]) removeOrder(world, order)
  for (const [uuid, usage] of world.usages) if (usage.resource === resource) world.usages.delete(uuid)
  world.ordersOf.delete(resource)
  world.resources.delete(resource.uuid)
}

/**
 * As its customer or Waldur itself does it: nobody has a role in it any more, and its orders and resources stay as they are (source: waldur-mastermind,
 * structure/models.py, `Project._soft_delete`).
 */
export const retireProject = (world: World, project: Project): void => {
  world.projects.delete(project.uuid)
  for (const user of world.users.values()) removeRoles(user, project)
}

/** By staff, for good, with all that is in it: its own deletion, or that of its organization. */
export const deleteProject = (world: World, project: Project): void => {
  for (const resource of [...world.resources.values()])
    if (resource.project === project) removeResource(world, resource)
  retireProject(world, project)
}
