/**
 * `marketplace-resources/` as a consumer sees them, `marketplace-provider-resources/` as the provider does. An agent finds nothing
 * under the consumer's path (recordings 055, 168).
 */
import { isDeepStrictEqual } from "node:util"
import { Either } from "effect"
import {
  type Answer,
  empty,
  ensure,
  forbidden,
  invalid,
  json,
  notFound,
  type Outcome,
  ok,
  serverError,
  wrongState
} from "../answers.js"
import { checkBounds, invalidTypes, isObject, parseLimits, sameLimits } from "../limits.js"
import { filtered, ordered, pageOf, sparse } from "../lists.js"
import { type Json, type JsonObject, type Plan, type Resource, type ResourceState, resourceStates } from "../model.js"
import * as Orders from "../orders.js"
import { isProvider, ordersIn, ownsProvider, seesAsConsumer, seesAsProvider } from "../permissions.js"
import { limitsTaken, takesChange } from "../policies.js"
import { planByUrl } from "../references.js"
import { type Context, type Handler, lookUp, readObject, text } from "../request.js"
import { planPeriodsView, resourceDetail, resourceView, teamView } from "../views/resources.js"
import { moveResource, newUuid, touchResource, type World } from "../world.js"
import { actionAllow, detailAllow, listAllow, type Route, readAllow } from "./route.js"
import { allocationDetails } from "./slurm.js"

type Side = "consumer" | "provider"

const sees = (side: Side) => (side === "consumer" ? seesAsConsumer : seesAsProvider)

const resourceOf = (side: Side, { world, user, params }: Context): Outcome<Resource> =>
  lookUp(world.resources, params.uuid, (resource) => sees(side)(user, resource), notFound("Resource"))

const list =
  (side: Side): Handler =>
  ({ world, user, request }) =>
    Either.gen(function* () {
      const kept = yield* filtered(request.query, world.resources.values(), {
        offering_uuid: { _tag: "Uuid", of: ({ offering }) => offering.uuid },
        project_uuid: { _tag: "Uuid", of: ({ project }) => project.uuid },
        customer_uuid: { _tag: "Uuid", of: ({ project }) => project.customer.uuid },
        provider_uuid: { _tag: "Uuid", of: ({ offering }) => offering.customer.uuid },
        state: { _tag: "Choice", choices: resourceStates, of: ({ state }) => state },
        backend_id: { _tag: "Text", of: ({ backendId }) => backendId },
        name_exact: { _tag: "Text", of: ({ name }) => name }
      })
      const visible = kept.filter((resource) => sees(side)(user, resource))
      return yield* pageOf(request, ordered(request.query, visible), (resource) =>
        resourceView(world, request.origin, resource)
      )
    })

const read =
  (side: Side): Handler =>
  (context) =>
    Either.map(resourceOf(side, context), (resource) => {
      const view = resourceDetail(context.world, context.request.origin, resource, context.user)
      return json(200, sparse(context.request.query, view))
    })

const placed = (uuid: string): Outcome => ok({ order_uuid: uuid })

type Change = (context: Context, resource: Resource, body: JsonObject) => Outcome

/** A consumer's order on a resource: seen, allowed, in a state for it, and no other order under way. */
const consumerOrder =
  (side: Side, states: ReadonlyArray<ResourceState>, change: Change): Handler =>
  (context) =>
    Either.gen(function* () {
      const { user, request } = context
      const resource = yield* resourceOf(side, context)
      const allowed = ordersIn(user, resource.project) || (side === "provider" && isProvider(user, resource.offering))
      yield* ensure(allowed, forbidden)
      yield* ensure(states.includes(resource.state), wrongState(states))
      if (resource.state !== "Erred") yield* takesChange(resource)
      return yield* change(context, resource, yield* readObject(request))
    })

const noOtherOrder = ({ world }: Context, resource: Resource): Outcome<void> =>
  ensure(Orders.orderInProgress(world, resource) === undefined, invalid(["Pending order for resource already exists."]))

const updateLimits: Change = (context, resource, body) =>
  Either.gen(function* () {
    if (body.limits === undefined) return yield* invalid({ limits: ["This field is required."] })
    const limits = yield* parseLimits(body.limits, 0)
    const unknown = invalidTypes(resource.offering, limits)
    if (unknown.length > 0) return yield* invalid({ limits: `Invalid types: ${unknown.join(", ")}` })
    if (sameLimits(limits, resource.limits))
      return yield* invalid(["Impossible to create update orders with limits set to exactly the same."])
    yield* checkBounds(resource.offering, limits)
    yield* noOtherOrder(context, resource)
    const order = Orders.placeOrder(context.world, context.user, {
      type: "Update",
      resource,
      plan: resource.plan,
      attributes: { old_limits: { ...resource.limits } },
      limits
    })
    return yield* placed(order.uuid)
  })

/** The resource's limits, if it has any, are copied into the order, and `attributes` stays empty. */
const switchPlan: Change = (context, resource, body) =>
  Either.gen(function* () {
    const errors: { [name: string]: Json } = {}
    const plan: Plan | null = planByUrl(context.world, body.plan, errors)
    if (plan === null) return yield* invalid(errors)
    if (!resource.offering.plans.includes(plan))
      return yield* invalid({ plan: ["Plan is not available for this offering."] })
    yield* noOtherOrder(context, resource)
    const order = Orders.placeOrder(context.world, context.user, {
      type: "Update",
      resource,
      plan,
      ...(resource.plan === null ? {} : { oldPlan: resource.plan }),
      attributes: {},
      limits: { ...resource.limits }
    })
    return yield* placed(order.uuid)
  })

/**
 * What is paid in advance is prolonged: the limits that there are, and the same plan. Today's server allows it only where a component is prepaid,
 * which is not modelled here (source: waldur-mastermind, marketplace/views.py).
 */
const renew: Change = (context, resource, body) =>
  Either.gen(function* () {
    if (typeof body.extension_months !== "number")
      return yield* invalid({ extension_months: ["This field is required."] })
    yield* noOtherOrder(context, resource)
    const limits = { ...resource.limits }
    const attributes = { action: "renew", old_limits: limits, extension_months: body.extension_months }
    const wanted = { type: "Update", resource, plan: resource.plan, attributes, limits } as const
    return yield* placed(Orders.placeOrder(context.world, context.user, wanted).uuid)
  })

const terminate: Change = (context, resource, body) =>
  Either.gen(function* () {
    yield* noOtherOrder(context, resource)
    const attributes = isObject(body.attributes) ? body.attributes : {}
    const wanted = { type: "Terminate", resource, plan: null, attributes, limits: {} } as const
    return yield* placed(Orders.placeOrder(context.world, context.user, wanted).uuid)
  })

/** By the provider alone, and where its offering says so (source: waldur-mastermind, marketplace/views.py, `restore` and `restore_permissions`). */
const restore: Change = (context, resource) =>
  Either.gen(function* () {
    yield* ensure(ownsProvider(context.user, resource.offering), forbidden)
    if (resource.offering.pluginOptions.can_restore_resource !== true)
      return yield* invalid(["Restoring resource is not supported for this offering type."])
    yield* noOtherOrder(context, resource)
    const limits = { ...resource.limits }
    // Before there is an order (source: waldur-mastermind, marketplace/views.py).
    moveResource(context.world, resource, "Creating")
    const wanted = { type: "Restore", resource, plan: resource.plan, attributes: {}, limits } as const
    return yield* placed(Orders.placeOrder(context.world, context.user, wanted).uuid)
  })

type Set = (context: Context, resource: Resource, body: JsonObject) => Outcome<Answer>

/** What the agent writes on a resource. Any state will do. */
const providerAction =
  (set: Set): Handler =>
  (context) =>
    Either.gen(function* () {
      const resource = yield* resourceOf("provider", context)
      const body = yield* readObject(context.request)
      const answer = yield* set(context, resource, body)
      touchResource(context.world, resource)
      return answer
    })

/** Without the field the server crashes (recording 059). Whether somebody has set another one since is no matter to it. */
const setBackendId: Set = ({ world }, resource, body) => {
  if (typeof body.backend_id !== "string" && typeof body.backend_id !== "number") return Either.left(serverError)
  const backendId = String(body.backend_id)
  return Either.gen(function* () {
    yield* followsRules(world, resource, backendId)
    const same = resource.backendId === backendId
    if (!same) yield* takesChange(resource)
    resource.backendId = backendId
    return yield* ok({ status: `Resource backend_id ${same ? "is not" : "has been"} changed.` })
  })
}

/** A provider may have rules for them; none is for an empty one (source: waldur-mastermind, marketplace/utils.py, `validate_backend_id`). */
const followsRules = (world: World, { offering, uuid }: Resource, backendId: string): Outcome<void> => {
  const { format, uniqueness } = offering.backendIdRules ?? {}
  if (!world.behaviour.published || backendId === "") return Either.void
  if (format !== undefined && !new RegExp(`^(?:${format.regex})$`).test(backendId))
    return invalid({ backend_id: `Invalid format. ${format.description ?? `Must match pattern: ${format.regex}`}` })
  const { include_terminated: withEnded = true, scope } = uniqueness ?? {}
  if (scope === undefined) return Either.void
  for (const other of world.resources.values()) {
    const isWithin = scope === "offering" ? other.offering === offering : other.offering.customer === offering.customer
    const counts = withEnded || other.state !== "Terminated"
    if (isWithin && counts && other.uuid !== uuid && other.backendId === backendId)
      return invalid({ backend_id: "This backend_id is already in use." })
  }
  return Either.void
}

const setBackendMetadata: Set = (_context, resource, body) => {
  if (body.backend_metadata === undefined) return invalid({ backend_metadata: ["This field is required."] })
  const wanted = isObject(body.backend_metadata) ? body.backend_metadata : {}
  const change = isDeepStrictEqual(resource.backendMetadata, wanted) ? Either.void : takesChange(resource)
  return Either.flatMap(change, () => {
    resource.backendMetadata = wanted
    return ok({ status: "The backend metadata is updated" })
  })
}

/**
 * Stored as they come: amounts are not looked at, and types by today's server alone, which takes those of any component that there is (source:
 * waldur-mastermind, marketplace/views.py, `set_limits`).
 */
const setLimits: Set = ({ world }, resource, body) => {
  if (!isObject(body.limits)) return invalid({ limits: ["This field is required."] })
  const known = new Set(resource.offering.components.map(({ type }) => type))
  const unknown = Object.keys(body.limits).filter((type) => !known.has(type))
  if (world.behaviour.published && unknown.length > 0)
    return invalid({ limits: `Unknown component types: ${unknown.toSorted().join(", ")}` })
  const taken = limitsTaken(resource, body.limits)
  return Either.flatMap(isDeepStrictEqual(resource.limits, taken) ? Either.void : takesChange(resource), () => {
    resource.limits = taken
    return ok({ status: "Limits are successfully set." })
  })
}

/** Source: waldur-mastermind, core/validators.py, `BackendURLValidator`. */
const shownSchemes: ReadonlyArray<string> = ["ldap:", "ldaps:", "http:", "https:", "ssh:", "rdp:"]
const isShown = (url: string): boolean => URL.canParse(url) && shownSchemes.includes(new URL(url).protocol)

const setEndpoints: Set = ({ world }, resource, body) => {
  const wanted = Array.isArray(body.endpoints) ? body.endpoints.filter(isObject) : null
  if (wanted === null) return invalid({ endpoints: ["This field is required."] })
  const wrong = wanted.map((one) => (isShown(text(one, "url") ?? "") ? {} : { url: ["Enter a valid URL."] }))
  if (wrong.some((one) => "url" in one)) return invalid({ endpoints: wrong })
  resource.endpoints = wanted.map((endpoint) => ({
    uuid: newUuid(world),
    name: text(endpoint, "name") ?? "",
    url: text(endpoint, "url") ?? ""
  }))
  return ok({ status: "Endpoints are successfully set." })
}

const refreshLastSync: Set = ({ world }, resource) => {
  resource.lastSync = world.now()
  return Either.right(empty(200))
}

/** From any state, but not from one that has ended to OK (source: waldur-mastermind, marketplace/models.py, `set_state_ok`). */
const setState =
  (state: "OK" | "Erred"): Set =>
  ({ world }, resource) => {
    if (state === "OK" && resource.state === "Terminated") return Either.left(serverError)
    return Either.map(resource.state === state ? Either.void : takesChange(resource), () => {
      moveResource(world, resource, state)
      return empty(200)
    })
  }

const post = (path: string, handler: Handler, since?: Route["since"]): Route => ({
  path,
  allow: actionAllow,
  methods: { POST: handler },
  since
})

const get = (path: string, handler: Handler): Route => ({ path, allow: readAllow, methods: { GET: handler } })

const bothSides = (side: Side, root: string): ReadonlyArray<Route> => [
  { path: root, allow: listAllow, methods: { GET: list(side) }, name: "Resource List" },
  { path: `${root}/:uuid`, allow: detailAllow, methods: { GET: read(side) } },
  get(`${root}/:uuid/team`, (context) =>
    Either.flatMap(resourceOf(side, context), (resource) =>
      ok(teamView(context.world, context.request.origin, resource))
    )
  ),
  get(`${root}/:uuid/plan_periods`, (context) =>
    Either.flatMap(resourceOf(side, context), (resource) => ok(planPeriodsView(resource)))
  ),
  get(`${root}/:uuid/details`, (context) =>
    Either.flatMap(resourceOf(side, context), (resource) => allocationDetails(context, resource))
  ),
  post(`${root}/:uuid/update_limits`, consumerOrder(side, ["OK"], updateLimits)),
  post(`${root}/:uuid/switch_plan`, consumerOrder(side, ["OK"], switchPlan)),
  post(`${root}/:uuid/renew`, consumerOrder(side, ["OK", "Erred"], renew), "published"),
  post(`${root}/:uuid/terminate`, consumerOrder(side, ["OK", "Erred"], terminate)),
  post(`${root}/:uuid/restore`, consumerOrder(side, ["Terminated"], restore), "published")
]

const provider = "marketplace-provider-resources/:uuid"

export const resourceRoutes: ReadonlyArray<Route> = [
  ...bothSides("consumer", "marketplace-resources"),
  ...bothSides("provider", "marketplace-provider-resources"),
  post(`${provider}/set_backend_id`, providerAction(setBackendId)),
  post(`${provider}/set_backend_metadata`, providerAction(setBackendMetadata)),
  post(`${provider}/set_limits`, providerAction(setLimits), "current"),
  post(`${provider}/set_endpoints`, providerAction(setEndpoints), "published"),
  post(`${provider}/refresh_last_sync`, providerAction(refreshLastSync), "published"),
  post(`${provider}/set_as_ok`, providerAction(setState("OK")), "published"),
  post(`${provider}/set_as_erred`, providerAction(setState("Erred")), "published")
]
