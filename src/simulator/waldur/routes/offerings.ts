/** Offerings and plans from both sides, and the SSH keys that a provider may read. */
import { createHash } from "node:crypto"
import { Either } from "effect"
import { ensure, forbidden, invalid, json, notFound, type Outcome, ok } from "../answers.js"
import { isObject } from "../limits.js"
import { filtered, pageOf, sparse } from "../lists.js"
import type { AccountingType, Component, JsonObject, Offering, ServiceProvider, SshKey } from "../model.js"
import { isProvider, ownsProvider } from "../permissions.js"
import { planByUuid } from "../references.js"
import { type Context, type Handler, lookUp, readObject, text } from "../request.js"
import { componentView, offeringView, ownPlanView, planView, publicPlansView } from "../views/offerings.js"
import { address, instant, type Origin, planAddress } from "../views/parts.js"
import { newUuid, normaliseUuid } from "../world.js"
import { actionAllow, detailAllow, listAllow, type Route, readAllow } from "./route.js"

type Side = "provider" | "public"

/** An offering is public to every user; its provider's side only to the provider. */
const offeringOf = (side: Side, { world, user, params }: Context): Outcome<Offering> =>
  lookUp(
    world.offerings,
    params.uuid,
    (offering) => side === "public" || isProvider(user, offering),
    notFound("Offering")
  )

const viewed = (side: Side, { world, request }: Context, offering: Offering): JsonObject => {
  const view = offeringView(world, request.origin, offering, side)
  return isObject(view) ? view : {}
}

const list =
  (side: Side): Handler =>
  (context) =>
    Either.gen(function* () {
      const { world, user, request } = context
      const visible = [...world.offerings.values()].filter((one) => side === "public" || isProvider(user, one))
      const kept = yield* filtered(request.query, visible, {
        customer_uuid: { _tag: "Uuid", of: ({ customer }) => customer.uuid },
        name_exact: { _tag: "Text", of: ({ name }) => name },
        type: { _tag: "Text", of: ({ type }) => type }
      })
      return yield* pageOf(request, kept, (offering) => viewed(side, context, offering))
    })

const read =
  (side: Side): Handler =>
  (context) =>
    Either.map(offeringOf(side, context), (offering) =>
      json(200, sparse(context.request.query, viewed(side, context, offering)))
    )

const accountingTypes: ReadonlyArray<string> = ["limit", "fixed", "usage", "one"]
const isAccountingType = (value: string | undefined): value is AccountingType =>
  value !== undefined && accountingTypes.includes(value)

const wholeOrNull = (body: JsonObject, name: string, otherwise: number | null): number | null => {
  const value = body[name]
  return typeof value === "number" ? value : value === null ? null : otherwise
}

const changeComponent = (known: Component, body: JsonObject): Component => {
  const billing = text(body, "billing_type")
  return {
    ...known,
    name: text(body, "name") ?? known.name,
    accountingType: isAccountingType(billing) ? billing : known.accountingType,
    measuredUnit: text(body, "measured_unit") ?? known.measuredUnit,
    unitFactor: wholeOrNull(body, "unit_factor", known.unitFactor),
    minValue: wholeOrNull(body, "min_value", known.minValue),
    maxValue: wholeOrNull(body, "max_value", known.maxValue)
  }
}

const createComponent: Handler = (context) =>
  Either.gen(function* () {
    const offering = yield* offeringOf("provider", context)
    yield* ensure(ownsProvider(context.user, offering), forbidden)
    const body = yield* readObject(context.request)
    const type = text(body, "type")
    const billing = text(body, "billing_type")
    if (type === undefined) return yield* invalid({ type: ["This field is required."] })
    if (!isAccountingType(billing)) return yield* invalid({ billing_type: ["This field is required."] })
    if (offering.components.some((one) => one.type === type))
      return yield* invalid({ type: ["Component with this type already exists."] })
    const blank: Component = {
      uuid: newUuid(context.world),
      type,
      name: type,
      accountingType: billing,
      measuredUnit: "",
      unitFactor: null,
      minValue: null,
      maxValue: null
    }
    const component = changeComponent(blank, body)
    offering.components.push(component)
    return json(201, componentView(context.world, component))
  })

const updateComponent: Handler = (context) =>
  Either.gen(function* () {
    const offering = yield* offeringOf("provider", context)
    yield* ensure(ownsProvider(context.user, offering), forbidden)
    const body = yield* readObject(context.request)
    const uuid = normaliseUuid(text(body, "uuid") ?? "")
    const index = offering.components.findIndex((one) => one.uuid === uuid)
    const known = offering.components[index]
    if (known === undefined) return yield* invalid({ uuid: ["Component is not found in offering."] })
    offering.components[index] = changeComponent(known, body)
    return json(200, {})
  })

/** A provider's own plans by uuid: how an agent learns the sizes of a plan. */
const readPlan: Handler = ({ world, user, request, params }) => {
  const found = planByUuid(world, normaliseUuid(params.uuid ?? "") ?? "")
  return found === undefined || !isProvider(user, found.offering)
    ? notFound("Plan")
    : Either.right(json(200, sparse(request.query, ownPlanView(world, request.origin, found.offering, found.plan))))
}

const listPlans: Handler = ({ world, user, request }) =>
  Either.gen(function* () {
    const visible = [...world.offerings.values()]
      .filter((offering) => isProvider(user, offering))
      .flatMap((offering) => offering.plans.map((plan) => ({ offering, plan })))
    const kept = yield* filtered(request.query, visible, {
      offering_uuid: { _tag: "Uuid", of: ({ offering }) => offering.uuid }
    })
    return yield* pageOf(request, kept, ({ offering, plan }) => ownPlanView(world, request.origin, offering, plan))
  })

const publicPlans: Handler = (context) =>
  Either.flatMap(offeringOf("public", context), (offering) =>
    ok(publicPlansView(context.world, context.request.origin, offering))
  )

const publicPlan: Handler = (context) =>
  Either.gen(function* () {
    const offering = yield* offeringOf("public", context)
    const plan = offering.plans.find(({ uuid }) => uuid === normaliseUuid(context.params.plan ?? ""))
    if (plan === undefined) return yield* notFound("Plan")
    return yield* ok(planView(context.world, offering, plan, planAddress(context.request.origin, offering, plan)))
  })

const digest = (algorithm: string, key: SshKey): string =>
  createHash(algorithm)
    .update(Buffer.from(key.publicKey.split(" ")[1] ?? "", "base64"))
    .digest("hex")

const keyView = (origin: Origin, key: SshKey): JsonObject => ({
  url: address(origin, `keys/${key.uuid}`),
  uuid: key.uuid,
  name: key.name,
  public_key: key.publicKey,
  fingerprint_md5: digest("md5", key).replace(/(..)(?=.)/g, "$1:"),
  fingerprint_sha256: digest("sha256", key),
  fingerprint_sha512: digest("sha512", key),
  user_uuid: key.user.uuid,
  is_shared: false,
  type: key.publicKey.split(" ")[0] ?? ""
})

const providersOf = ({ world, user }: Context): ReadonlyMap<string, ServiceProvider> =>
  new Map(
    [...world.serviceProviders].filter(([, { customer }]) =>
      [...world.offerings.values()].some((one) => one.customer === customer && isProvider(user, one))
    )
  )

const providerView = (origin: Origin, { uuid, customer, created }: ServiceProvider): JsonObject => ({
  url: address(origin, `marketplace-service-providers/${uuid}`),
  uuid,
  created: instant(created),
  description: "",
  enable_notifications: true,
  customer: address(origin, `customers/${customer.uuid}`),
  customer_name: customer.name,
  customer_uuid: customer.uuid,
  customer_slug: customer.slug
})

const listProviders: Handler = (context) =>
  Either.gen(function* () {
    const { request } = context
    const kept = yield* filtered(request.query, providersOf(context).values(), {
      customer_uuid: { _tag: "Uuid", of: ({ customer }) => customer.uuid }
    })
    return yield* pageOf(request, kept, (one) => providerView(request.origin, one))
  })

/** SSH keys of the users that a provider serves, in pages. The path names the service provider, not its organisation. */
const listKeys: Handler = (context) =>
  Either.flatMap(
    lookUp(providersOf(context), context.params.uuid, () => true, notFound("ServiceProvider")),
    () => pageOf(context.request, [...context.world.sshKeys.values()], (key) => keyView(context.request.origin, key))
  )

/** Accounts of programs and of courses, which nobody here has: the Python agent asks for them after each create. */
const noAccounts: Handler = (context) =>
  Either.flatMap(offeringOf("provider", context), () => pageOf(context.request, [], (none: JsonObject) => none))

/** What the provider sees of its users: nobody here has set it, so it is the default. */
const attributeConfig: Handler = (context) =>
  Either.map(offeringOf("provider", context), ({ created, name, uuid }) =>
    json(200, {
      uuid,
      created: instant(created),
      modified: instant(created),
      exposed_fields: ["username", "full_name", "email"],
      is_default: true,
      offering_uuid: uuid,
      offering_name: name
    })
  )

const get = (path: string, handler: Handler, allow = readAllow): Route => ({ path, allow, methods: { GET: handler } })

const post = (path: string, handler: Handler): Route => ({ path, allow: actionAllow, methods: { POST: handler } })

export const offeringRoutes: ReadonlyArray<Route> = [
  get("marketplace-provider-offerings", list("provider"), listAllow),
  get("marketplace-provider-offerings/:uuid", read("provider"), detailAllow),
  { ...get("marketplace-provider-offerings/:uuid/user-attribute-config", attributeConfig), since: "published" },
  { ...get("marketplace-provider-offerings/:uuid/list_project_service_accounts", noAccounts), since: "published" },
  { ...get("marketplace-provider-offerings/:uuid/list_course_accounts", noAccounts), since: "published" },
  post("marketplace-provider-offerings/:uuid/create_offering_component", createComponent),
  post("marketplace-provider-offerings/:uuid/update_offering_component", updateComponent),
  get("marketplace-public-offerings", list("public")),
  get("marketplace-public-offerings/:uuid", read("public")),
  get("marketplace-public-offerings/:uuid/plans", publicPlans),
  get("marketplace-public-offerings/:uuid/plans/:plan", publicPlan),
  get("marketplace-plans", listPlans, listAllow),
  get("marketplace-plans/:uuid", readPlan, detailAllow),
  get("marketplace-service-providers", listProviders, listAllow),
  get("marketplace-service-providers/:uuid/keys", listKeys)
]
