/** What Waldur was told of an order, and has lost: it is told once more. */
import { isDeepStrictEqual } from "node:util"
import { Effect, Option } from "effect"
import { type Amounts, amountsToWaldur, type OrderRequest, type Outcome, type SiteError } from "../../../core/index.js"
import { isMissing } from "../../../waldur/index.js"
import type { Offering } from "../../offerings/offering.js"

/** One look, and what is not there; says whether there was any. A backend id that is there is left as it is, and secrets that were issued hold. */
export const remind = (offering: Offering, request: OrderRequest, outcome: Outcome, hasScope: boolean) =>
  Effect.gen(function* () {
    const { components, waldur } = offering
    const resource = request.resource.id
    const { amounts, backendId = "", endpoints, issueSecrets } = outcome
    const metadata: Readonly<Record<string, unknown>> = outcome.metadata ?? {}
    const found = yield* waldur.resource(resource)
    const shown: Readonly<Record<string, unknown>> = found.backendMetadata
    const isIdLost = Option.isNone(found.backendId) && backendId !== ""
    const limits: Amounts = amounts === undefined ? {} : amountsToWaldur(components, amounts)
    const areLimitsLost = differing(limits, found.limits).length > 0
    const isMetadataLost = Object.entries(metadata).some(([key, value]) => !isDeepStrictEqual(shown[key], value))
    const isLost = isIdLost || areLimitsLost || isMetadataLost
    if (isIdLost) yield* waldur.setBackendId(resource, backendId)
    if (areLimitsLost) yield* waldur.setLimits(resource, limits)
    if (isMetadataLost) yield* waldur.setBackendMetadata(resource, { ...shown, ...metadata })
    // Whether those are there is not read.
    if (isLost && endpoints !== undefined && endpoints.length > 0) yield* waldur.setEndpoints(resource, endpoints)
    if (isLost && hasScope) yield* waldur.setScopeOk(resource)
    // They are told together with the metadata.
    if (issueSecrets !== undefined && (isMetadataLost || Object.keys(shown).length === 0)) {
      yield* Effect.logWarning(
        `Waldur may have lost the passwords that it showed of this resource; they hold. \`site-actors reset-password ${resource}\` makes new ones and shows them`
      )
    }
    return isLost
  })

/** The types of those that are not there, or not as they should be. */
const differing = (limits: Amounts, shown: Amounts): ReadonlyArray<string> =>
  Object.entries(limits).flatMap(([type, amount]) => (shown[type] === amount ? [] : [type]))

/** Is it for other limits, and were some told? */
export const isOfLimits = (request: OrderRequest, { amounts = {} }: Outcome): boolean =>
  request._tag === "Update" && request.change === "limits" && Object.keys(amounts).length > 0

/**
 * After "done" of an order for other limits. Waldur makes the order's limits the resource's then, as they are (source: waldur-mastermind,
 * marketplace/callbacks.py, `resource_update_succeeded`), and takes orders that name a part of them: what such a one does not name would be gone there, and
 * stand in the backend, unpaid. The order is over, so nothing of this ends it.
 *
 * Where the offering has a `SlurmPeriodicUsagePolicy`, Waldur answers 200 and leaves them out (marketplace/views.py, `set_limits`). An order alone would change that,
 * so it is said to whom it concerns.
 */
export const keepLimits = (offering: Offering, request: OrderRequest, outcome: Outcome) =>
  unlessRefused(
    "the limits that the order does not name",
    Effect.gen(function* () {
      if (!(yield* remind(offering, request, outcome, false))) return
      const { limits } = yield* offering.waldur.resource(request.resource.id)
      const unkept = differing(amountsToWaldur(offering.components, outcome.amounts ?? {}), limits)
      if (unkept.length === 0) return
      yield* Effect.logError(
        `Waldur was told of all limits of this resource, and has ${unkept.join(", ")} otherwise all the same: what stands in the cloud is not what is billed. A policy of the offering may keep it from taking them (SlurmPeriodicUsagePolicy): remove that, or have the customer order all limits at once`
      )
    })
  )

/** What is told after an order is over, or undone. */
export const unlessRefused = (
  what: string,
  telling: Effect.Effect<unknown, SiteError>
): Effect.Effect<void, SiteError> =>
  Effect.catchIf(
    Effect.asVoid(telling),
    (error) => error.disposition === "fail-order" || isMissing(error),
    (error) => Effect.logWarning(`Waldur may not have ${what}: ${error.message}`)
  )
