/** Importable resources: what an agent offers, and what staff makes of it. */
import { Either } from "effect"
import { ensure, forbidden, invalid, json, notFound, type Outcome, wrongState } from "../../answers.js"
import { publishImportRequest } from "../../events.js"
import { isObject, parseLimits } from "../../limits.js"
import { importResource } from "../../orders.js"
import { isProvider } from "../../permissions.js"
import { type Context, type Handler, readObject, text } from "../../request.js"
import { resourceView } from "../../views/resources.js"
import { normaliseUuid, type PlainRecord, recordsOf } from "../../world.js"
import type { Route } from "../route.js"
import { found, keep, merge, post, readable, textOf, view } from "./records.js"

const requests = "backend-resource-requests"

/** By whom: a role on the offering, or on who provides it (source: waldur-mastermind, marketplace/views.py, `BackendResourceViewSet`). */
const ensureProvider = ({ user, world }: Context, record: Pick<PlainRecord, "fields">): Outcome<void> => {
  const { offering: named } = record.fields
  const offering = world.offerings.get(normaliseUuid(typeof named === "string" ? named : "") ?? "")
  return ensure(offering !== undefined && isProvider(user, offering), forbidden)
}

/** What could be imported, and as whose: name, offering and project are required. */
const offerResource: Handler = (context) =>
  Either.gen(function* () {
    const body = yield* readObject(context.request)
    const missing = ["name", "offering", "project"].filter((name) => (text(body, name) ?? "") === "")
    if (missing.length > 0) {
      return yield* invalid(Object.fromEntries(missing.map((name) => [name, ["This field is required."]])))
    }
    const project = text(body, "project") ?? ""
    if (!context.world.projects.has(normaliseUuid(project) ?? "")) {
      return yield* invalid({ project: [`Object with uuid=${project} does not exist.`] })
    }
    if (!context.world.offerings.has(normaliseUuid(text(body, "offering") ?? "") ?? ""))
      return yield* invalid({ offering: [`Object with uuid=${text(body, "offering") ?? ""} does not exist.`] })
    yield* ensureProvider(context, { fields: body })
    return json(201, view(context, "backend-resources", keep(context, "backend-resources", body)))
  })

/**
 * By staff only: the object becomes a resource that is OK, with the `limits` of its metadata, and gets a Create order that is done; the object
 * on offer is deleted. By the open-source server's `import_resource`.
 */
const importOffered: Handler = (context) =>
  Either.gen(function* () {
    const { request, user, world } = context
    if (!user.isStaff) return yield* forbidden
    const body = yield* readObject(request)
    const record = yield* found(context, "backend-resources", "BackendResource")
    const offering = world.offerings.get(normaliseUuid(textOf(record, "offering")) ?? "")
    const project = world.projects.get(normaliseUuid(textOf(record, "project")) ?? "")
    if (offering === undefined || project === undefined) return yield* notFound("BackendResource")
    const plan = offering.plans.find(({ uuid }) => uuid === normaliseUuid(text(body, "plan") ?? "")) ?? null
    if (plan === null) return yield* invalid({ plan: ["Plan is required when importing resources."] })
    const backendId = textOf(record, "backend_id")
    const same = [...world.resources.values()].some(
      (resource) => resource.offering === offering && resource.backendId === backendId && resource.state === "OK"
    )
    if (same) return yield* invalid(["Resource has been imported already."])
    const { backend_metadata: metadata } = record.fields
    const limits = isObject(metadata) && isObject(metadata.limits) ? yield* parseLimits(metadata.limits, null) : {}
    const name = textOf(record, "name")
    const resource = importResource(world, user, { offering, project, plan, name, attributes: {}, limits, backendId })
    recordsOf(world, "backend-resources").delete(record.uuid)
    return json(201, resourceView(world, request.origin, resource))
  })

/** Asking is staff's, and tells the offering's agent. */
const ask: Handler = (context) =>
  Either.gen(function* () {
    if (!context.user.isStaff) return yield* forbidden
    const body = yield* readObject(context.request)
    const request = keep(context, requests, { ...body, state: "Sent" })
    publishImportRequest(context.world, request)
    return json(201, view(context, requests, request))
  })

/** Source: waldur-mastermind, marketplace/views.py, `BackendResourceRequestViewSet`. */
const move =
  (from: ReadonlyArray<string> | undefined, to: string, required: ReadonlyArray<string> = []): Handler =>
  (context) =>
    Either.gen(function* () {
      const request = yield* found(context, requests, "BackendResourceRequest")
      yield* ensureProvider(context, request)
      if (from !== undefined && !from.includes(textOf(request, "state"))) return yield* wrongState(from)
      const body = yield* readObject(context.request)
      const missing = required.filter((name) => text(body, name) === undefined)
      if (missing.length > 0)
        return yield* invalid(Object.fromEntries(missing.map((name) => [name, ["This field is required."]])))
      merge(context, request, { ...body, state: to })
      return json(200, { status: `Request state set to ${to.toLowerCase()}.` })
    })

export const importing: ReadonlyArray<Route> = [
  ...readable("backend-resources", "BackendResource", offerResource),
  post("backend-resources/:uuid/import_resource", importOffered),
  ...readable(requests, "BackendResourceRequest", ask),
  post(`${requests}/:uuid/start_processing`, move(["Sent"], "Processing")),
  post(`${requests}/:uuid/set_done`, move(["Processing"], "Done")),
  post(`${requests}/:uuid/set_erred`, move(undefined, "Erred", ["error_message", "error_traceback"]))
]
