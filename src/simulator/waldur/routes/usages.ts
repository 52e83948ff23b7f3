/** `marketplace-component-usages/`: what was used, per resource, component and month. */
import { Either } from "effect"
import { empty, ensure, forbidden, invalid, json, notFound, type Outcome } from "../answers.js"
import { isObject } from "../limits.js"
import { filtered, pageOf } from "../lists.js"
import type { Component, JsonObject, Resource, Usage, User } from "../model.js"
import { isProvider, seesProject } from "../permissions.js"
import { type Handler, lookUp, readObject, text } from "../request.js"
import { address, instant, type Origin } from "../views/parts.js"
import { newUuid, normaliseUuid, type World } from "../world.js"
import { actionAllow, detailAllow, listAllow, type Route } from "./route.js"

/** First day of the month, `2026-11-01`. */
const monthOf = (at: number): string => `${instant(at).slice(0, 7)}-01`

const usageView = (origin: Origin, usage: Usage): JsonObject => ({
  uuid: usage.uuid,
  created: instant(usage.created),
  description: usage.description,
  type: usage.component.type,
  name: usage.component.name,
  measured_unit: usage.component.measuredUnit,
  usage: usage.amount.toFixed(2),
  date: instant(usage.date),
  resource: address(origin, `marketplace-resources/${usage.resource.uuid}`),
  resource_name: usage.resource.name,
  resource_uuid: usage.resource.uuid,
  offering_name: usage.resource.offering.name,
  offering_uuid: usage.resource.offering.uuid,
  project_uuid: usage.resource.project.uuid,
  project_name: usage.resource.project.name,
  customer_name: usage.resource.project.customer.name,
  customer_uuid: usage.resource.project.customer.uuid,
  recurring: false,
  billing_period: usage.billingPeriod,
  modified_by: null
})

const list: Handler = ({ world, user, request }) =>
  Either.gen(function* () {
    const kept = yield* filtered(request.query, world.usages.values(), {
      resource_uuid: { _tag: "Uuid", of: ({ resource }) => resource.uuid },
      offering_uuid: { _tag: "Uuid", of: ({ resource }) => resource.offering.uuid },
      billing_period: { _tag: "Text", of: ({ billingPeriod }) => billingPeriod },
      type: { _tag: "Text", of: ({ component }) => component.type }
    })
    const visible = kept.filter(
      ({ resource }) => isProvider(user, resource.offering) || seesProject(user, resource.project)
    )
    return yield* pageOf(request, visible, (usage) => usageView(request.origin, usage))
  })

const resourceIn = (world: World, body: JsonObject): Outcome<Resource> => {
  const named = text(body, "resource")
  const period = normaliseUuid(text(body, "plan_period") ?? "")
  if (named === undefined && period === null)
    return invalid({ resource: ["Either plan_period or resource should be provided."] })
  const uuid = normaliseUuid(named ?? "")
  const found = [...world.resources.values()].find((resource) =>
    named === undefined ? resource.planPeriods.some((one) => one.uuid === period) : resource.uuid === uuid
  )
  if (found !== undefined) return Either.right(found)
  const field = named === undefined ? "plan_period" : "resource"
  return invalid({ [field]: [`Object with uuid=${named ?? period ?? ""} does not exist.`] })
}

interface Reported {
  readonly component: Component
  readonly amount: number
  readonly description: string
}

const usedStates: ReadonlyArray<string> = ["OK", "Updating", "Terminating"]
/** Today's takes what is paid once as well. */
const usedTypes = ({ behaviour }: World): ReadonlyArray<string> =>
  behaviour.published ? ["usage", "limit", "one"] : ["usage", "limit"]

/** Only what is billed by usage or limit has any, of a resource that is there (source: waldur-mastermind, marketplace/serializers.py). */
const reportedIn = (world: World, resource: Resource, body: JsonObject): Outcome<ReadonlyArray<Reported>> => {
  if (!Array.isArray(body.usages)) return invalid({ usages: ["This field is required."] })
  if (resource.plan === null) return invalid({ resource: ["Resource must have a plan to report usage."] })
  if (!usedStates.includes(resource.state)) return invalid({ resource: ["Resource is not in valid state."] })
  const entries = body.usages.filter(isObject)
  const takes = resource.offering.components.filter(({ accountingType }) => usedTypes(world).includes(accountingType))
  const others = entries.map(({ type }) => String(type)).filter((type) => !takes.some((one) => one.type === type))
  if (others.length > 0)
    return invalid({ non_field_errors: [`These components are invalid: ${others.toSorted().join(", ")}.`] })
  const reported: Array<Reported> = []
  for (const entry of entries) {
    const component = takes.find(({ type }) => type === entry.type)
    if (component === undefined) continue
    const amount = typeof entry.amount === "string" ? Number(entry.amount) : entry.amount
    if (typeof amount !== "number" || !Number.isFinite(amount))
      return invalid({ usages: [{ amount: ["A valid number is required."] }] })
    if (Math.abs(amount * 100 - Math.round(amount * 100)) > 1e-6)
      return invalid({ usages: [{ amount: ["Ensure that there are no more than 2 decimal places."] }] })
    if (amount < 0) return invalid({ usages: [{ amount: ["Ensure this value is greater than or equal to 0."] }] })
    reported.push({ component, amount, description: text(entry, "description") ?? "" })
  }
  return Either.right(reported)
}

/**
 * Nothing is told ahead, and of a month that is over only what is billed by limit or paid once, unless by staff: whether its invoice is still open or not, which
 * decides no more than whether that follows (source: waldur-mastermind, marketplace/serializers.py and its tests).
 */
const checkDate = (world: World, user: User, at: number, reported: ReadonlyArray<Reported>): Outcome<void> => {
  if (at > world.now())
    return invalid({
      date: ["Cannot submit usage for future dates. Date must be current date or earlier."]
    })
  const isOld = monthOf(at) < monthOf(world.now())
  const isBackfilled = reported.every(({ component }) => ["limit", "one"].includes(component.accountingType))
  return ensure(
    !isOld || isBackfilled || user.isStaff,
    invalid({
      date: [
        "Service providers can only specify date for limit-based or prepaid billing components when backfilling past billing periods."
      ]
    })
  )
}

/** A later report of the same month replaces the earlier, up or down. */
const store = (world: World, resource: Resource, at: number, { component, amount, description }: Reported): void => {
  const billingPeriod = monthOf(at)
  const known = [...world.usages.values()].find(
    (usage) => usage.resource === resource && usage.component === component && usage.billingPeriod === billingPeriod
  )
  if (known === undefined) {
    const uuid = newUuid(world)
    const created = world.now()
    const users = new Map<string, number>()
    world.usages.set(uuid, { uuid, resource, component, amount, description, date: at, billingPeriod, created, users })
  } else {
    known.amount = amount
    known.description = description
  }
  resource.currentUsages = { ...resource.currentUsages, [component.type]: amount }
}

/** Answered with 201 and nothing (recordings 210 and 211). */
const setUsage: Handler = ({ world, user, request }) =>
  Either.gen(function* () {
    const body = yield* readObject(request)
    const resource = yield* resourceIn(world, body)
    yield* ensure(isProvider(user, resource.offering), forbidden)
    const reported = yield* reportedIn(world, resource, body)
    const date = Date.parse(text(body, "date") ?? "")
    const at = Number.isNaN(date) ? world.now() : date
    if (world.behaviour.published) yield* checkDate(world, user, at, reported)
    for (const one of reported) store(world, resource, at, one)
    return empty(201)
  })

const setUserUsages: Handler = ({ world, user, request, params }) =>
  Either.gen(function* () {
    const usage = yield* lookUp(
      world.usages,
      params.uuid,
      ({ resource }) => isProvider(user, resource.offering),
      notFound("ComponentUsage")
    )
    const body = yield* readObject(request)
    const entries = Array.isArray(body.usages) ? body.usages.filter(isObject) : [body]
    for (const entry of entries) usage.users.set(text(entry, "username") ?? "", Number(entry.usage))
    return json(201, {})
  })

export const usageRoutes: ReadonlyArray<Route> = [
  // Limits of single users, which nobody here has set: the Python agent's membership sync asks for each resource's.
  {
    path: "component-user-usage-limits",
    allow: listAllow,
    methods: { GET: ({ request }) => pageOf(request, [], (none: JsonObject) => none) },
    since: "published"
  },
  { path: "marketplace-component-usages", allow: listAllow, methods: { GET: list } },
  { path: "marketplace-component-usages/set_usage", allow: actionAllow, methods: { POST: setUsage } },
  {
    path: "marketplace-component-usages/:uuid",
    allow: detailAllow,
    methods: {
      GET: ({ world, user, request, params }) =>
        Either.map(
          lookUp(
            world.usages,
            params.uuid,
            ({ resource }) => isProvider(user, resource.offering) || seesProject(user, resource.project),
            notFound("ComponentUsage")
          ),
          (usage) => json(200, usageView(request.origin, usage))
        )
    }
  },
  {
    path: "marketplace-component-usages/:uuid/set_user_usages",
    allow: actionAllow,
    methods: { POST: setUserUsages }
  }
]
