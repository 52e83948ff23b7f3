/** What a resource is given in Waldur when its order is carried out. To say it again does no harm. */
import { Effect, Option, Redacted, Schema } from "effect"
import {
  amountsToWaldur,
  isRestored,
  type OrderJournal,
  type OrderRequest,
  type Outcome,
  type SiteError
} from "../../../core/index.js"
import type { WaldurError } from "../../../waldur/index.js"
import type { Offering } from "../../offerings/offering.js"
import { assertUntold, isApprovedHere } from "../rivals.js"
import { unlessRefused } from "./remind.js"

/** Parts of an `Outcome`. */
export const ValueName = Schema.Literal("backend id", "limits", "metadata", "endpoints")
export type ValueName = typeof ValueName.Type

export interface Value {
  readonly name: ValueName
  readonly tell: Effect.Effect<void, SiteError>
  /** Tells what stood there before. Absent: nothing did, or it may stay. */
  readonly takeBack?: Effect.Effect<void, SiteError>
}

/**
 * Those that the outcome has, in the order in which they are told. Secrets are issued inside the telling that shows them: if it is not known whether Waldur
 * has got them, the next attempt makes new ones.
 */
export const valuesOf = (
  offering: Offering,
  journal: OrderJournal,
  request: OrderRequest,
  outcome: Outcome
): ReadonlyArray<Value> => {
  const { components, waldur } = offering
  const resource = request.resource.id
  const { amounts, backendId, endpoints = [], issueSecrets, metadata } = outcome
  const limits = amounts === undefined ? {} : amountsToWaldur(components, amounts)
  const values: Array<Value> = []
  if (backendId !== undefined && backendId !== request.resource.backendId) {
    values.push({
      name: "backend id",
      tell:
        request._tag === "Create"
          ? // The look before "done" says whether it is still there.
            Effect.zipRight(unlessTold(offering, journal, request, outcome), waldur.putBackendId(resource, backendId))
          : waldur.setBackendId(resource, backendId)
    })
  }
  if (Object.keys(limits).length > 0) {
    const takeBack = takingBack(offering, request)
    values.push({
      name: "limits",
      tell: Effect.flatMap(waldur.setLimits(resource, limits), (written) =>
        Effect.logWarning("This Waldur has no call that sets limits of such a resource: they stay as ordered").pipe(
          Effect.when(() => written === "unsupported")
        )
      ),
      ...(takeBack === undefined ? {} : { takeBack })
    })
  }
  if (metadata !== undefined || issueSecrets !== undefined) {
    values.push({
      name: "metadata",
      tell: Effect.flatMap(issueSecrets ?? Effect.succeed({}), (secrets) =>
        waldur.setBackendMetadata(resource, { ...metadata, ...revealed(secrets) })
      )
    })
  }
  if (endpoints.length > 0) {
    values.push({ name: "endpoints", tell: asFarAsShown(waldur.setEndpoints(resource, endpoints)) })
  }
  return values
}

/** They are there to be shown: what was made is not undone for an address of a kind that Waldur does not take. */
const asFarAsShown = (telling: Effect.Effect<unknown, WaldurError>): Effect.Effect<void, WaldurError> =>
  Effect.catchIf(
    Effect.asVoid(telling),
    (error) => error._tag === "WaldurInvalid" && error.disposition === "fail-order",
    (error) => Effect.logWarning(`Waldur does not show this resource's endpoints: ${error.message}`)
  )

/**
 * Of an order that this agent has not approved, another one may have said what it came to, and that it is done: from then on the customer's next orders
 * are about that, and nothing else may be told in between.
 */
const unlessTold = (offering: Offering, journal: OrderJournal, request: OrderRequest, outcome: Outcome) =>
  Effect.gen(function* () {
    const { waldur } = offering
    const entries = yield* journal.entries
    if (isApprovedHere(entries) || isRestored(entries)) return
    if ((yield* waldur.order(request.order)).state !== "done") return
    const { backendId } = yield* waldur.resource(request.resource.id)
    yield* assertUntold(offering, request, outcome, backendId)
  })

const OldLimits = Schema.Struct({ old_limits: Schema.Record({ key: Schema.String, value: Schema.Number }) })

/**
 * Told once more is what an order for other limits has found, should it fail all the same: its staff may set it to erred, or cancel it, while it is
 * carried out. The order says what that was, in Waldur's units.
 */
const takingBack = ({ components, waldur }: Offering, request: OrderRequest) => {
  const old = request._tag === "Update" ? Schema.decodeUnknownOption(OldLimits)(request.attributes) : Option.none()
  if (Option.isNone(old)) return undefined
  const known = Object.entries(old.value.old_limits).filter(([type]) => components.some((one) => one.type === type))
  return unlessRefused("the limits of before", waldur.setLimits(request.resource.id, Object.fromEntries(known)))
}

const revealed = (secrets: Readonly<Record<string, Redacted.Redacted>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, Redacted.value(secret)]))
