/** What the marketplace is told of an order that was carried out: each call a step, so that none is forgotten after a crash. */
import { Effect, Option, Redacted, Schema } from "effect"
import {
  amountsToWaldur,
  decide,
  ensure,
  ensureDone,
  type OrderRequest,
  type Outcome,
  type ResourceId
} from "../../core/index.js"
import type { Offering } from "../offerings/offering.js"

/**
 * Tells Waldur the outcome, the state of the order last: `done` must not be seen before what belongs to it.
 *
 * `hasScope`: when the order was taken, the server kept something of its own behind the resource, which must be told as well. Setting a value
 * again does no harm. Secrets are issued inside the step that shows them: if it is not known whether Waldur has got them, the next attempt makes
 * new ones.
 */
export const report = (offering: Offering, request: OrderRequest, outcome: Outcome, hasScope: boolean) =>
  Effect.gen(function* () {
    const { waldur, components } = offering
    const resource = request.resource.id
    const { backendId, amounts, metadata, endpoints, issueSecrets } = outcome
    if (backendId !== undefined && backendId !== request.resource.backendId) {
      // Of a new resource the last look, below, says whether it is still there.
      const set = request._tag === "Create" ? waldur.putBackendId : waldur.setBackendId
      yield* ensureDone("waldur: backend id", set(resource, backendId))
    }
    const limits = amounts === undefined ? {} : amountsToWaldur(components, amounts)
    if (Object.keys(limits).length > 0) {
      yield* ensureDone(
        "waldur: limits",
        Effect.tap(waldur.setLimits(resource, limits), (written) =>
          Effect.logWarning("This Waldur has no call that sets limits of such a resource: they stay as ordered").pipe(
            Effect.when(() => written === "unsupported")
          )
        )
      )
    }
    if (metadata !== undefined || issueSecrets !== undefined) {
      yield* ensureDone(
        "waldur: metadata",
        Effect.flatMap(issueSecrets ?? Effect.succeed({}), (secrets) =>
          waldur.setBackendMetadata(resource, { ...metadata, ...revealed(secrets) })
        )
      )
    }
    if (endpoints !== undefined && endpoints.length > 0) {
      yield* ensureDone("waldur: endpoints", waldur.setEndpoints(resource, endpoints))
    }
    const scoped =
      request._tag === "Create"
        ? yield* decide("waldur: settled", Schema.Boolean, settled(offering, resource, backendId))
        : hasScope
    if (scoped && request._tag !== "Terminate") yield* ensureDone("waldur: scope ok", waldur.setScopeOk(resource))
    // No step: told again after a crash, it is what Waldur has already.
    if (request._tag === "Terminate") yield* offering.lastHours?.(resource) ?? Effect.void
    // The order was ended by others, for whoever finds it done and knows of nothing that was done for it.
    yield* ensure("waldur: done", {
      result: Schema.Null,
      perform: Effect.as(waldur.setStateDone(request.order), null),
      ends: true
    })
  })

/**
 * A look as late as can be, after which nothing but `done` is left to say: the server's background task may have overwritten the backend
 * id since it was set. Says whether the server keeps something of its own behind the resource.
 */
const settled = ({ waldur }: Offering, resource: ResourceId, backendId: string | undefined) =>
  Effect.gen(function* () {
    const found = yield* waldur.resource(resource)
    if (backendId !== undefined && !Option.contains(found.backendId, backendId)) {
      yield* waldur.setBackendId(resource, backendId)
    }
    return Option.isSome(found.scopeUuid)
  })

const revealed = (secrets: Readonly<Record<string, Redacted.Redacted>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, Redacted.value(secret)]))
