/**
 * `marketplace-slurm-remote/`, the older server's way for an agent to report limits and states. The path stands on both servers;
 * on the current one no resource has an allocation, so that it finds nothing (recording 065).
 */
import { Either } from "effect"
import { conflict, ensure, forbidden, invalid, notFound, type Outcome, ok, serverError } from "../answers.js"
import { applyDone } from "../completion.js"
import { isObject } from "../limits.js"
import type { Allocation, JsonObject, Resource } from "../model.js"
import { isLimitBased } from "../model.js"
import { orderInProgress } from "../orders.js"
import { isProvider, seesAsConsumer } from "../permissions.js"
import { setAllocationState, stateNumbers } from "../processing.js"
import { type Context, type Handler, lookUp, pythonType, readBody, readObject, text } from "../request.js"
import { address, instant } from "../views/parts.js"
import { moveOrder, touchResource } from "../world.js"
import { actionAllow, type Route } from "./route.js"

interface Allocated {
  readonly resource: Resource
  readonly allocation: Allocation
}

/** Found by whoever sees the resource at all, allowed to the provider only (recording 069). */
const allocatedOf = ({ world, user, params }: Context): Outcome<Allocated> =>
  Either.gen(function* () {
    const resource = yield* lookUp(
      world.resources,
      params.uuid,
      (one) => one.allocation !== null && (seesAsConsumer(user, one) || isProvider(user, one.offering)),
      notFound("Resource")
    )
    yield* ensure(isProvider(user, resource.offering), forbidden)
    return resource.allocation === null ? yield* notFound("Resource") : { resource, allocation: resource.allocation }
  })

/** The bare object of limits; whatever it holds is stored (recordings 065 to 068). */
const setLimits: Handler = (context) =>
  Either.gen(function* () {
    const { resource } = yield* allocatedOf(context)
    const body = yield* readBody(context.request)
    if (!isObject(body))
      return yield* invalid([`The payload must have dictionary type, not <class '${pythonType(body)}'>.`])
    resource.limits = body
    touchResource(context.world, resource)
    return yield* ok({ status: "Limits are successfully set." })
  })

const setBackendId: Handler = (context) =>
  Either.gen(function* () {
    const { allocation } = yield* allocatedOf(context)
    const backendId = text(yield* readObject(context.request), "backend_id")
    if (backendId === undefined) return yield* Either.left(serverError)
    const same = allocation.backendId === backendId
    allocation.backendId = backendId
    return yield* ok({ status: `Allocation backend_id ${same ? "is not" : "has been"} changed.` })
  })

const targets: { readonly [state: string]: Allocation["state"] | undefined } = {
  creating: "Creating",
  updating: "Updating",
  ok: "OK",
  erred: "Erred"
}

const mayMove = (from: Allocation["state"], to: Allocation["state"]): boolean => {
  if (to === "Updating") return from === "Update Scheduled"
  if (to === "Creating") return from === "Creation Scheduled"
  return true
}

/** Reporting `ok` also finishes an order that is executing (recordings 122 and 123). */
const setState: Handler = (context) =>
  Either.gen(function* () {
    const { resource, allocation } = yield* allocatedOf(context)
    const wanted = text(yield* readObject(context.request), "state") ?? ""
    const target = targets[wanted]
    if (target === undefined) return yield* invalid(["Invalid state: a corresponding method for transition is absent"])
    if (!mayMove(allocation.state, target))
      return yield* conflict(`Allocation state can not be changed from ${stateNumbers[allocation.state]} to ${wanted}.`)
    setAllocationState(resource, allocation, target)
    const order = orderInProgress(context.world, resource)
    if (target === "OK" && order?.state === "executing") {
      moveOrder(context.world, order, "done")
      applyDone(context.world, order)
    }
    return yield* ok({ detail: `Allocation state has been changed to ${wanted}` })
  })

/** `marketplace-resources/{uuid}/details/`: the allocation itself (recording 105). */
export const allocationDetails = ({ world, request }: Context, resource: Resource): Outcome => {
  const { allocation, offering, project } = resource
  if (allocation === null) return notFound("Resource")
  const at = (path: string) => address(request.origin, path)
  const view: JsonObject = {
    url: at(`slurm-allocations/${allocation.uuid}`),
    uuid: allocation.uuid,
    name: resource.name,
    description: "",
    service_name: "SLURM remote service settings",
    service_settings: at(`service-settings/${offering.serviceSettingsUuid}`),
    service_settings_uuid: offering.serviceSettingsUuid,
    service_settings_state: "OK",
    service_settings_error_message: "",
    project: at(`projects/${project.uuid}`),
    project_name: project.name,
    project_uuid: project.uuid,
    customer: at(`customers/${project.customer.uuid}`),
    customer_name: project.customer.name,
    customer_native_name: "",
    customer_abbreviation: "",
    error_message: "",
    error_traceback: "",
    resource_type: "SLURM.Allocation",
    state: allocation.state,
    created: instant(allocation.created),
    modified: instant(allocation.created),
    backend_id: allocation.backendId,
    access_url: null,
    cpu_limit: 0,
    cpu_usage: 0,
    gpu_limit: 0,
    gpu_usage: 0,
    ram_limit: 0,
    ram_usage: 0,
    username: null,
    gateway: null,
    is_active: true,
    marketplace_offering_uuid: offering.uuid,
    marketplace_offering_name: offering.name,
    marketplace_offering_plugin_options: offering.pluginOptions,
    marketplace_category_uuid: world.category.uuid,
    marketplace_category_name: world.category.title,
    marketplace_resource_uuid: resource.uuid,
    marketplace_plan_uuid: resource.plan?.uuid ?? null,
    marketplace_resource_state: resource.state,
    is_usage_based: false,
    is_limit_based: isLimitBased(offering)
  }
  return ok(view)
}

const post = (name: string, handler: Handler): Route => ({
  path: `marketplace-slurm-remote/:uuid/${name}`,
  allow: actionAllow,
  methods: { POST: handler }
})

export const slurmRoutes: ReadonlyArray<Route> = [
  post("set_limits", setLimits),
  post("set_backend_id", setBackendId),
  post("set_state", setState)
]
