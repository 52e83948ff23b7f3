/**
 * The life of an order: made by a consumer, approved on both sides, executed, and done, erred or rejected; and what each step
 * does to the resource. Permissions are not checked here.
 */
import { Duration, Either } from "effect"
import { conflict, invalid, type Outcome, serverError, wrongState } from "./answers.js"
import { applyDone, crashesOnDone } from "./completion.js"
import { costOf } from "./limits.js"
import type { Amounts, JsonObject, Offering, Order, OrderType, Plan, Project, Resource, User } from "./model.js"
import { ownsProject } from "./permissions.js"
import { takesChange } from "./policies.js"
import { process } from "./processing.js"
import {
  addOrder,
  findOrder,
  moveOrder,
  moveResource,
  newSlug,
  newUuid,
  removeOrder,
  touchOrder,
  type World
} from "./world.js"

const pendingStates = ["pending-consumer", "pending-project", "pending-start-date", "pending-provider", "executing"]

export const isInProgress = (order: Order): boolean => pendingStates.includes(order.state)

export const orderInProgress = (world: World, resource: Resource): Order | undefined =>
  findOrder(world, resource, isInProgress)

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
  const uuid = newUuid(world)
  // Not `...wanted`: V8 would make it a table of 10 kB, slow to look into, and there are ten thousand.
  const resource: Resource = {
    offering,
    project,
    plan,
    name,
    attributes,
    limits,
    uuid,
    slug: world.behaviour.slugOf?.(name, uuid) ?? newSlug(world, name),
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
    lastSync: now,
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
  addOrder(world, order)
  world.changed({ _tag: "Order", order, state: order.state, at: world.now() })
}

/** An order of a user who may approve for the consumer is approved by that (recording 136, 163). */
export const placeOrder = (world: World, user: User, wanted: NewOrder): Order => {
  const order = newOrder(world, user, wanted)
  keep(world, order)
  // Before anybody has approved it (source: waldur-mastermind, marketplace/handlers.py).
  const { resource, type } = order
  if (world.behaviour.published && resource.state !== "Erred" && (type === "Update" || type === "Terminate"))
    moveResource(world, resource, busyState[type])
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
  waitForProject(world, order)
}

/** In this state until then; true if it has come already. */
const waitsUntil = (
  world: World,
  order: Order,
  state: Order["state"],
  { at, then }: { readonly at: number | null; readonly then: () => void }
): boolean => {
  const now = world.now()
  if (at === null || at <= now) return false
  moveOrder(world, order, state)
  world.later(Duration.millis(at - now), () => {
    if (order.state === state) then()
  })
  return true
}

/** The project has to have begun; then it is the provider's turn. */
const waitForProject = (world: World, order: Order): void => {
  const then = () => waitForProject(world, order)
  if (!waitsUntil(world, order, "pending-project", { at: order.resource.project.startsAt, then }))
    moveOrder(world, order, "pending-provider")
}

export const approveByConsumer = (world: World, user: User, order: Order): Outcome<void> =>
  Either.map(inState(order, "pending-consumer"), () => approveForConsumer(world, user, order))

/**
 * The resource of a rejected create order ends; that of any other order is OK again, even one that was to be restored
 * (source: waldur-mastermind, marketplace/handlers.py).
 */
const reject = (world: World, order: Order): void => {
  const { resource } = order
  moveOrder(world, order, "rejected")
  if (order.type === "Create") moveResource(world, resource, "Terminated")
  else if (resource.state !== "OK") moveResource(world, resource, "OK")
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

/**
 * Once only, also while the background task has not yet made it executing (recording 053). One with a start date then waits for it, and
 * executes on the day (source: waldur-mastermind, marketplace/views.py and tasks.py).
 */
export const approveByProvider = (world: World, user: User, order: Order): Outcome<void> =>
  Either.map(
    order.providerReviewedBy === null ? inState(order, "pending-provider") : wrongState(["pending-provider"]),
    () => {
      order.providerReviewedBy = user
      order.providerReviewedAt = world.now()
      const then = () => {
        moveOrder(world, order, "executing")
        process(world, order)
      }
      if (!waitsUntil(world, order, "pending-start-date", { at: order.startsAt, then })) process(world, order)
    }
  )

const busyState = { Create: "Creating", Restore: "Creating", Update: "Updating", Terminate: "Terminating" } as const

/**
 * Takes an erred order up again, or a pending one without approval (recordings 134, 196), and leaves the resource as it is; today's takes one that nobody has
 * approved at all (source: waldur-mastermind, marketplace/views.py).
 */
export const setExecuting = (world: World, order: Order): Outcome<void> => {
  const unapproved = world.behaviour.published ? (["pending-consumer"] as const) : []
  return Either.map(inState(order, ...unapproved, "pending-provider", "erred"), () =>
    moveOrder(world, order, "executing")
  )
}

/**
 * The same for an erred order and its resource, whatever has become of that, but none that restores, nor a create whose resource is neither ended nor erred
 * (source: waldur-mastermind, marketplace/views.py, `retry`; models.py, `set_state_creating`).
 */
export const retry = (world: World, order: Order): Outcome<void> =>
  Either.gen(function* () {
    const { resource, type } = order
    yield* inState(order, "erred")
    if (type === "Restore") return yield* invalid([`Retry is not supported for ${type} orders.`])
    if (type === "Create" && resource.state !== "Terminated" && resource.state !== "Erred")
      return yield* invalid([`Cannot retry: resource state ${resource.state} does not allow transition.`])
    order.errorMessage = ""
    order.errorTraceback = ""
    moveOrder(world, order, "executing")
    moveResource(world, resource, busyState[type])
  })

/**
 * The server looks for the order by its resource and type, not by its uuid: while two of them execute, as where an erred one was taken up again beside the
 * next, neither is moved, and the answer is 200 all the same (source: waldur-mastermind, marketplace/callbacks.py, `set_order_state`).
 */
export const setDone = (world: World, order: Order): Outcome<void> =>
  Either.gen(function* () {
    yield* inState(order, "executing")
    if (crashesOnDone(world, order)) {
      // Of a create the order is saved before that (source: waldur-mastermind, marketplace/callbacks.py, `resource_creation_succeeded`).
      if (world.behaviour.published && !world.behaviour.atomic && order.type === "Create")
        moveOrder(world, order, "done")
      return yield* Either.left(serverError)
    }
    const end = order.type === "Terminate" ? "Terminated" : "OK"
    if (order.resource.state !== end) yield* takesChange(order.resource)
    if (isOneOfTwo(world, order)) moveResource(world, order.resource, end)
    else {
      moveOrder(world, order, "done")
      applyDone(world, order)
    }
  })

const isOneOfTwo = (world: World, { resource, type, uuid }: Order): boolean =>
  findOrder(world, resource, (one) => one.uuid !== uuid && one.type === type && one.state === "executing") !== undefined

/**
 * Takes the message in any state, marks the resource in any state, and moves the order only if it is executing (recordings 108
 * and 186). A termination that failed leaves the resource OK; the current server ends a resource whose
 * creation failed before it had a backend id (recording 157), the older one leaves it Erred (recording 176).
 */
export const setErred = (world: World, order: Order, message: string, traceback: string): Outcome<void> => {
  const { resource } = order
  const { generation, published } = world.behaviour
  if (published) return setErredToday(world, order, message, traceback)
  order.errorMessage = message
  order.errorTraceback = traceback
  if (order.state === "executing") moveOrder(world, order, "erred")
  else touchOrder(world, order)
  const neverWas = generation === "current" && order.type === "Create" && resource.backendId === ""
  if (order.type === "Terminate") moveResource(world, resource, "OK")
  else moveResource(world, resource, neverWas ? "Terminated" : "Erred")
  return Either.void
}

/**
 * Today's moves the order from any state, also one that is done. First what has become of the resource is looked at: one that is still made, without a backend
 * id, has ended. From there is no way to OK, and that of any other order stays so (source: waldur-mastermind, marketplace/views.py, `set_state_erred`; handlers.py,
 * `update_resource_state_on_order_rejection_error_or_cancellation`; models.py, `set_state_ok`).
 */
const setErredToday = (world: World, order: Order, message: string, traceback: string): Outcome<void> =>
  Either.gen(function* () {
    const { resource, type } = order
    const isNew = order.state !== "erred" && resource.state === "Creating"
    const now = isNew ? (resource.backendId === "" ? "Terminated" : "Erred") : resource.state
    const kept = type === "Terminate" ? "OK" : now === "Terminated" ? now : "Erred"
    if (type === "Terminate" && now === "Terminated") return yield* Either.left(serverError)
    if (kept !== resource.state) yield* takesChange(resource)
    order.errorMessage = message
    order.errorTraceback = traceback
    moveOrder(world, order, "erred")
    if (kept !== resource.state) moveResource(world, resource, kept)
  })

export const setOrderBackendId = (world: World, order: Order, backendId: string): void => {
  order.backendId = backendId
  touchOrder(world, order)
}

/** Before the provider's approval alone; today's server says so in its usual words (source: waldur-mastermind, marketplace/views.py, `destroy_validators`). */
export const destroy = (world: World, order: Order): Outcome<void> =>
  Either.gen(function* () {
    if (world.behaviour.published) yield* inState(order, "pending-consumer", "pending-provider")
    else if (order.state === "executing" || order.state === "done") return yield* conflict("Order cannot be deleted.")
    removeOrder(world, order)
  })
