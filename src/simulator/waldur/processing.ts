/**
 * What the server does on its own after approve: its background task. It makes the order executing, moves the resource, and on
 * the 2024 server makes a SLURM allocation, fills `resource_uuid` and completes plan switches.
 *
 * The race is here too. The task works on a copy of the resource that it loaded early and saves it whole, so that a
 * `set_backend_id` made meanwhile is lost although it was answered with 200.
 */
import { Duration } from "effect"
import { applyDone, crashesOnDone } from "./completion.js"
import type { Allocation, Order, Resource } from "./model.js"
import { chance, moveOrder, moveResource, newUuid, type World } from "./world.js"

export const process = (world: World, order: Order): void => {
  const { behaviour } = world
  const loaded = order.resource.backendId
  const stale = order.type === "Create" && chance(world, behaviour.race)

  after(world, behaviour.executingAfter, () => {
    if (order.state === "pending-provider") moveOrder(world, order, "executing")
    // Ended by somebody in the meantime: the resource stands as that has left it.
    if (order.state !== "executing") return
    if (order.type === "Terminate") moveResource(world, order.resource, "Terminating")
    else if (order.type === "Restore") moveResource(world, order.resource, "Creating")
    else if (order.type === "Update" && behaviour.generation === "current")
      moveResource(world, order.resource, "Updating")
  })
  after(world, behaviour.taskAfter, () => {
    if (stale) order.resource.backendId = loaded
    if (behaviour.generation === "2024") runSlurmTask(world, order)
  })
}

const after = (world: World, delay: Duration.Duration, task: () => void): void => {
  if (Duration.equals(delay, Duration.zero)) task()
  else world.later(delay, task)
}

/** The older server runs an OpenNebula offering as `Marketplace.Slurm`, with an allocation that has states of its own. */
const runSlurmTask = (world: World, order: Order): void => {
  const { resource } = order
  if (order.state !== "executing") return
  if (order.type === "Create") {
    const now = world.now()
    resource.allocation = { uuid: newUuid(world), created: now, state: "Creation Scheduled", backendId: "" }
    resource.modified = now
    world.changed({ _tag: "Resource", resource, state: resource.state, at: now })
  } else if (order.type === "Update" && order.oldPlan !== null) completePlanSwitch(world, order)
  else if (order.type === "Update") scheduleUpdate(world, order)
}

/** A plan switch completes by itself (recording 150), unless the `KeyError` stops the task; then the order stays executing. */
const completePlanSwitch = (world: World, order: Order): void => {
  if (crashesOnDone(world, order)) return
  moveOrder(world, order, "done")
  applyDone(world, order)
}

/** Refused while the allocation was never reported as made: the order errs, the resource stays OK (recording 100). */
const scheduleUpdate = (world: World, order: Order): void => {
  const { allocation } = order.resource
  if (allocation === null) return
  if (allocation.state !== "OK" && allocation.state !== "Erred") {
    order.errorMessage = `Can't switch from state '${stateNumbers[allocation.state]}' using method 'schedule_updating'`
    moveOrder(world, order, "erred")
  } else {
    setAllocationState(order.resource, allocation, "Update Scheduled")
    moveResource(world, order.resource, "Updating")
  }
}

/** Numbers of the allocation's states, which the server shows in its messages (recordings 100 and 107). */
export const stateNumbers: { readonly [state in Allocation["state"]]: number } = {
  "Creation Scheduled": 5,
  Creating: 6,
  "Update Scheduled": 1,
  Updating: 2,
  "Deletion Scheduled": 7,
  OK: 3,
  Erred: 4
}

/** A change of the allocation's state is copied into the resource's metadata (recording 114). */
export const setAllocationState = (resource: Resource, allocation: Allocation, state: Allocation["state"]): void => {
  allocation.state = state
  resource.backendMetadata = {
    ...resource.backendMetadata,
    state,
    action: null,
    runtime_state: null,
    action_details: null
  }
}
