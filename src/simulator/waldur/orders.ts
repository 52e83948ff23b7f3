/**
 * The life of an order: made by a consumer, approved on both sides, executed, and done, erred or rejected; and what each step
 * does to the resource. Permissions are not checked here.
 */
import { Duration, Either } from "effect"
import { conflict, type Outcome, serverError, wrongState } from "./answers.js"
import { applyDone, crashesOnDone } from "./completion.js"
import { costOf } from "./limits.js"
import type { Amounts, JsonObject, Offering, Order, OrderType, Plan, Project, Resource, User } from "./model.js"
import { ownsProject } from "./permissions.js"
import { process } from "./processing.js"
import { moveOrder, moveResource, newSlug, newUuid, touchOrder, type World } from "./world.js"

const pendingStates = ["pending-consumer", "pending-project", "pending-start-date", "pending-provider", "executing"]

export const isInProgress = (order: Order): boolean => pendingStates.includes(order.state)

export const orderInProgress = (world: World, resource: Resource): Order | undefined =>
  [...world.orders.values()].find((order) => order.resource === resource && isInProgress(order))

export interface NewResource {
  readonly offering: Offering
  readonly project: Project
  readonly plan: Plan | null
  readonly name: string
  readonly attributes: JsonObject
  readonly limits: Amounts
}

export const makeResource = (world: World, wanted: NewResource): Resource => {
  const now = world.now()
  const { offering, project, plan, name, attributes, limits } = wanted
  // Not `...wanted`: V8 would make it a table of 10 kB, slow to look into, and there are ten thousand.
  const resource: Resource = {
    offering,
    project,
    plan,
    name,
    attributes,
    limits,
    uuid: newUuid(world),
    slug: newSlug(world, wanted.name),
    cost: costOf(wanted.plan, wanted.limits),
    state: "Creating",
    backendId: "",
    backendMetadata: {},
    endpoints: [],
    currentUsages: {},
    allocation: null,
    paused: false,
    downscaled: false,
    restrictMemberAccess: false,
    lastSync: null,
    created: now,
    modified: now,
    planPeriods: []
  }
  world.resources.set(resource.uuid, resource)
  world.changed({ _tag: "Resource", resource, state: resource.state, at: now })
  return resource
}

export interface NewOrder {
  readonly type: OrderType
  readonly resource: Resource
  readonly plan: Plan | null
  readonly oldPlan?: Plan
  readonly attributes: JsonObject
  readonly limits: Amounts
  readonly startsAt?: number | null
}

const newOrder = (world: World, user: User, wanted: NewOrder): Order => {
  const now = world.now()
  return {
    type: wanted.type,
    resource: wanted.resource,
    plan: wanted.plan,
    oldPlan: wanted.oldPlan ?? null,
    attributes: wanted.attributes,
    limits: wanted.limits,
    startsAt: wanted.startsAt ?? null,
    uuid: newUuid(world),
    cost: wanted.type === "Terminate" ? null : costOf(wanted.plan, wanted.limits),
    state: "pending-consumer",
    backendId: "",
    errorMessage: "",
    errorTraceback: "",
    rejectionComment: "",
    createdBy: user,
    created: now,
    modified: now,
    consumerReviewedBy: null,
    consumerReviewedAt: null,
    providerReviewedBy: null,
    providerReviewedAt: null
  }
}

const keep = (world: World, order: Order): void => {
  world.orders.set(order.uuid, order)
  world.changed({ _tag: "Order", order, state: order.state, at: world.now() })
}

/** An order of a user who may approve for the consumer is approved by that (recording 136, 163). */
export const placeOrder = (world: World, user: User, wanted: NewOrder): Order => {
  const order = newOrder(world, user, wanted)
  keep(world, order)
  if (ownsProject(user, order.resource.project)) approveForConsumer(world, user, order)
  return order
}

/** What was in the backend already: a resource that is OK from the start, and the order that it never had, done (open-source server). */
export const importResource = (
  world: World,
  user: User,
  wanted: NewResource & { readonly backendId: string }
): Resource => {
  const { backendId, ...described } = wanted
  const resource = makeResource(world, described)
  resource.backendId = backendId
  moveResource(world, resource, "OK")
  const now = world.now()
  keep(world, {
    ...newOrder(world, user, { type: "Create", resource, plan: wanted.plan, attributes: {}, limits: wanted.limits }),
    state: "done",
    consumerReviewedBy: user,
    consumerReviewedAt: now,
    providerReviewedBy: user,
    providerReviewedAt: now
  })
  return resource
}

const inState = (order: Order, ...states: ReadonlyArray<Order["state"]>): Outcome<void> =>
  states.includes(order.state) ? Either.void : wrongState(states)

const approveForConsumer = (world: World, user: User, order: Order): void => {
  order.consumerReviewedBy = user
  order.consumerReviewedAt = world.now()
  waitForStart(world, order)
}

/** The project has to have begun, then the order's own start date to have come; then it is the provider's turn. */
const waitForStart = (world: World, order: Order): void => {
  const now = world.now()
  const next = (state: Order["state"], at: number) => {
    moveOrder(world, order, state)
    world.later(Duration.millis(at - now), () => {
      if (order.state === state) waitForStart(world, order)
    })
  }
  const { startsAt } = order.resource.project
  if (startsAt !== null && startsAt > now) next("pending-project", startsAt)
  else if (order.startsAt !== null && order.startsAt > now) next("pending-start-date", order.startsAt)
  else moveOrder(world, order, "pending-provider")
}

export const approveByConsumer = (world: World, user: User, order: Order): Outcome<void> =>
  Either.map(inState(order, "pending-consumer"), () => approveForConsumer(world, user, order))

/** The resource of a rejected create order ends; that of any other order stays as it was. */
const reject = (world: World, order: Order): void => {
  moveOrder(world, order, "rejected")
  if (order.type === "Create") moveResource(world, order.resource, "Terminated")
}

export const rejectByConsumer = (world: World, user: User, order: Order): Outcome<void> =>
  Either.map(inState(order, "pending-consumer"), () => {
    order.consumerReviewedBy = user
    order.consumerReviewedAt = world.now()
    reject(world, order)
  })

export const rejectByProvider = (world: World, user: User, order: Order, comment: string): Outcome<void> =>
  Either.map(inState(order, "pending-provider"), () => {
    order.providerReviewedBy = user
    order.providerReviewedAt = world.now()
    order.rejectionComment = comment
    reject(world, order)
  })

/** Once only, also while the background task has not yet made it executing (recording 053). */
export const approveByProvider = (world: World, user: User, order: Order): Outcome<void> =>
  Either.map(
    order.providerReviewedBy === null ? inState(order, "pending-provider") : wrongState(["pending-provider"]),
    () => {
      order.providerReviewedBy = user
      order.providerReviewedAt = world.now()
      process(world, order)
    }
  )

const busyState = { Create: "Creating", Restore: "Creating", Update: "Updating", Terminate: "Terminating" } as const

/** Takes an erred order up again, or a pending one without approval (recordings 134, 196). */
export const setExecuting = (world: World, order: Order): Outcome<void> =>
  Either.map(inState(order, "pending-provider", "erred"), () => {
    moveOrder(world, order, "executing")
    moveResource(world, order.resource, busyState[order.type])
  })

export const setDone = (world: World, order: Order): Outcome<void> =>
  Either.flatMap(inState(order, "executing"), () => {
    if (crashesOnDone(world, order)) return Either.left(serverError)
    moveOrder(world, order, "done")
    applyDone(world, order)
    return Either.void
  })

/**
 * Takes the message in any state, marks the resource in any state, and moves the order only if it is executing (recordings 108
 * and 186). A termination that failed leaves the resource OK; the current server ends a resource whose
 * creation failed before it had a backend id (recording 157), the older one leaves it Erred (recording 176).
 */
export const setErred = (world: World, order: Order, message: string, traceback: string): void => {
  const { resource } = order
  order.errorMessage = message
  order.errorTraceback = traceback
  if (order.state === "executing") moveOrder(world, order, "erred")
  else touchOrder(world, order)
  const neverWas = world.behaviour.generation === "current" && order.type === "Create" && resource.backendId === ""
  if (order.type === "Terminate") moveResource(world, resource, "OK")
  else moveResource(world, resource, neverWas ? "Terminated" : "Erred")
}

export const setOrderBackendId = (world: World, order: Order, backendId: string): void => {
  order.backendId = backendId
  touchOrder(world, order)
}

export const destroy = (world: World, order: Order): Outcome<void> => {
  if (order.state === "executing" || order.state === "done") return conflict("Order cannot be deleted.")
  world.orders.delete(order.uuid)
  return Either.void
}
