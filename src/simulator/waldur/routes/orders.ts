/** `marketplace-orders/`: what a consumer orders, and what a provider decides. */
import { Either } from "effect"
import {
  type Answer,
  empty,
  ensure,
  forbidden,
  invalid,
  json,
  methodNotAllowed,
  notFound,
  type Outcome,
  ok,
  serverError
} from "../answers.js"
import { checkBounds, invalidTypes, isObject, parseLimits } from "../limits.js"
import { filtered, ordered, pageOf, sparse } from "../lists.js"
import { type Json, type JsonObject, type Order, orderStates, orderTypes, type Plan, type User } from "../model.js"
import * as Orders from "../orders.js"
import { ordersIn, ownsProject, ownsProvider, seesOrder } from "../permissions.js"
import { offeringByUrl, planByUrl, projectByUrl } from "../references.js"
import { type Context, type Handler, lookUp, readObject, text } from "../request.js"
import { createdOrderView, orderView } from "../views/orders.js"
import type { World } from "../world.js"
import { actionAllow, detailAllow, listAllow, type Route } from "./route.js"

const orderOf = ({ world, user, params }: Context): Outcome<Order> =>
  lookUp(world.orders, params.uuid, (order) => seesOrder(user, order), notFound("Order"))

const list: Handler = ({ world, user, request }) =>
  Either.gen(function* () {
    const kept = yield* filtered(request.query, world.orders.values(), {
      offering_uuid: { _tag: "Uuid", of: ({ resource }) => resource.offering.uuid },
      resource_uuid: { _tag: "Uuid", of: ({ resource }) => resource.uuid },
      project_uuid: { _tag: "Uuid", of: ({ resource }) => resource.project.uuid },
      customer_uuid: { _tag: "Uuid", of: ({ resource }) => resource.project.customer.uuid },
      provider_uuid: { _tag: "Uuid", of: ({ resource }) => resource.offering.customer.uuid },
      state: { _tag: "Choice", choices: orderStates, of: ({ state }) => state },
      type: { _tag: "Choice", choices: orderTypes, of: ({ type }) => type },
      // Of the published API; not recorded.
      modified: { _tag: "Since", of: ({ modified }) => modified }
    })
    const visible = kept.filter((order) => seesOrder(user, order))
    return yield* pageOf(request, ordered(request.query, visible), (order) =>
      orderView(world, request.origin, order, user)
    )
  })

const read: Handler = (context) =>
  Either.map(orderOf(context), (order) =>
    json(200, sparse(context.request.query, orderView(context.world, context.request.origin, order, context.user)))
  )

const required = "This field is required."

/** Field by field first, then as a whole, as Django REST framework does (recordings 012 to 022). */
const create: Handler = ({ world, user, request }) =>
  Either.gen(function* () {
    const body = yield* readObject(request)
    const errors: { [name: string]: Json } = {}
    const offering = offeringByUrl(world, body.offering, errors)
    const project = projectByUrl(world, user, body.project, errors)
    let plan: Plan | null = null
    if (body.plan !== undefined && body.plan !== null) plan = planByUrl(world, body.plan, errors)
    if (Object.keys(errors).length > 0 || offering === null || project === null) return yield* invalid(errors)
    const limits = body.limits === undefined ? {} : yield* parseLimits(body.limits, null)
    if (plan !== null && !offering.plans.includes(plan))
      return yield* invalid({ plan: ["This plan is not available for selected offering."] })
    if (body.attributes === undefined) return yield* invalid({ non_field_errors: ["No data provided"] })
    const attributes = isObject(body.attributes) ? body.attributes : {}
    const unknown = invalidTypes(offering, limits)
    if (unknown.length > 0) return yield* invalid({ limits: [`Invalid types: ${unknown.join(", ")}`] })
    yield* checkBounds(offering, limits)
    const name = text(attributes, "name")
    if (name === undefined || name === "") return yield* invalid({ name: [required] })
    yield* ensure(ordersIn(user, project), forbidden)

    const resource = Orders.makeResource(world, { offering, project, plan, name, attributes, limits })
    const startsAt = Date.parse(text(body, "start_date") ?? "")
    const order = Orders.placeOrder(world, user, {
      type: "Create",
      resource,
      plan,
      attributes,
      limits,
      startsAt: Number.isNaN(startsAt) ? null : startsAt
    })
    const view = createdOrderView(world, request.origin, order, user)
    return json(201, view, { Location: `${request.origin}/api/marketplace-orders/${order.uuid}/` })
  })

const destroy: Handler = (context) =>
  Either.gen(function* () {
    const order = yield* orderOf(context)
    yield* ensure(ownsProject(context.user, order.resource.project), forbidden)
    yield* Orders.destroy(context.world, order)
    return empty(204)
  })

type Decide = (context: Context, order: Order, body: JsonObject) => Outcome<Answer>

/** An action on an order: seen at all, then allowed, then carried out. */
const action =
  (allowed: (user: User, order: Order) => boolean, decide: Decide): Handler =>
  (context) =>
    Either.gen(function* () {
      const order = yield* orderOf(context)
      yield* ensure(allowed(context.user, order), forbidden)
      return yield* decide(context, order, yield* readObject(context.request))
    })

const forConsumer = (user: User, order: Order) => ownsProject(user, order.resource.project)
const forProvider = (user: User, order: Order) => ownsProvider(user, order.resource.offering)
const byAuthor = (user: User, order: Order) => forConsumer(user, order) || order.createdBy === user

/** The older server answers an approval with nothing, the current one with a sentence (recording 052 of each). */
const approved = (world: World): Answer =>
  world.behaviour.generation === "2024" ? empty(200) : json(200, { detail: "Order has been approved." })

const approveByConsumer = action(forConsumer, ({ world, user }, order) =>
  Either.map(Orders.approveByConsumer(world, user, order), () => approved(world))
)

const approveByProvider = action(forProvider, ({ world, user }, order) =>
  Either.map(Orders.approveByProvider(world, user, order), () => approved(world))
)

const rejectByConsumer = action(byAuthor, ({ world, user }, order) =>
  Either.map(Orders.rejectByConsumer(world, user, order), () => empty(200))
)

const rejectByProvider = action(forProvider, ({ world, user }, order, body) =>
  Either.map(Orders.rejectByProvider(world, user, order, text(body, "provider_rejection_comment") ?? ""), () =>
    empty(200)
  )
)

const setDone = action(forProvider, ({ world }, order) => Either.map(Orders.setDone(world, order), () => empty(200)))

const setExecuting = action(forProvider, ({ world }, order) =>
  Either.map(Orders.setExecuting(world, order), () => empty(200))
)

const retry = action(forProvider, ({ world }, order) => Either.map(Orders.retry(world, order), () => empty(200)))

/** The older server crashes unless both fields are there (recordings 126, 127). */
const setErred = action(forProvider, ({ world }, order, body) => {
  const message = text(body, "error_message")
  const traceback = text(body, "error_traceback")
  if (world.behaviour.generation === "2024" && (message === undefined || traceback === undefined))
    return Either.left(serverError)
  return Either.map(Orders.setErred(world, order, message ?? "", traceback ?? ""), () => empty(200))
})

const setBackendId = action(forProvider, ({ world }, order, body) => {
  const backendId = text(body, "backend_id")
  if (backendId === undefined) return invalid({ backend_id: [required] })
  const same = order.backendId === backendId
  if (!same) Orders.setOrderBackendId(world, order, backendId)
  return ok({ status: `Order backend_id ${same ? "is not" : "has been"} changed.` })
})

const cancel = action(forConsumer, (_context, order) => {
  const reason = `The order's offering with ${order.resource.offering.type} type does not support this action`
  return Either.left(methodNotAllowed(reason))
})

const post = (name: string, handler: Handler, since?: Route["since"]): Route => ({
  path: `marketplace-orders/:uuid/${name}`,
  allow: actionAllow,
  methods: { POST: handler },
  since
})

export const orderRoutes: ReadonlyArray<Route> = [
  { path: "marketplace-orders", allow: listAllow, methods: { GET: list, POST: create }, name: "Order List" },
  { path: "marketplace-orders/:uuid", allow: detailAllow, methods: { GET: read, DELETE: destroy } },
  post("approve_by_consumer", approveByConsumer),
  post("approve_by_provider", approveByProvider),
  post("reject_by_consumer", rejectByConsumer),
  post("reject_by_provider", rejectByProvider),
  post("set_state_done", setDone),
  post("set_state_executing", setExecuting),
  post("retry", retry, "published"),
  post("set_state_erred", setErred),
  post("cancel", cancel),
  post("set_backend_id", setBackendId, "current")
]
