/** Importable resources: what an agent offers, and what staff makes of it. */
import { Either } from "effect"
import { forbidden, invalid, json, notFound } from "../../answers.js"
import { isObject, parseLimits } from "../../limits.js"
import { importResource } from "../../orders.js"
import { type Handler, readObject, text } from "../../request.js"
import { resourceView } from "../../views/resources.js"
import { normaliseUuid, recordsOf } from "../../world.js"
import type { Route } from "../route.js"
import { change, collection, found, keep, post, textOf, view } from "./records.js"

const requests = "backend-resource-requests"

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

export const importing: ReadonlyArray<Route> = [
  ...collection("backend-resources", "BackendResource", offerResource),
  post("backend-resources/:uuid/import_resource", importOffered),
  ...collection(requests, "BackendResourceRequest"),
  post(`${requests}/:uuid/start_processing`, change(requests, "BackendResourceRequest", { state: "Processing" })),
  post(`${requests}/:uuid/set_done`, change(requests, "BackendResourceRequest", { state: "Done" })),
  post(`${requests}/:uuid/set_erred`, change(requests, "BackendResourceRequest", { state: "Erred" }))
]
