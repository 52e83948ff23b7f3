/** What the marketplace is told of an order that was carried out: each call a step, so that none is forgotten after a crash. */
import { Effect, Option, Redacted, Schema } from "effect"
import {
  amountsToWaldur,
  decide,
  ensure,
  ensureDone,
  isRestored,
  OrderRefused,
  type OrderRequest,
  type Outcome,
  type SiteError,
  Steps,
  sideBySide,
  stepState
} from "../../core/index.js"
import type { Offering } from "../offerings/offering.js"
import { isOfLimits, keepLimits, remind, unlessRefused } from "./remind.js"
import { assertUntold, isApprovedHere, isDoneByAnother, yieldTo } from "./rivals.js"

/** The steps in which values are told. */
const told = {
  backendId: "waldur: backend id",
  limits: "waldur: limits",
  metadata: "waldur: metadata",
  endpoints: "waldur: endpoints"
} as const
const values = Object.values(told)
const done = "waldur: done"

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
    const { direction, journal } = yield* Steps
    const before = yield* journal.entries
    const isTold = values.some((step) => Option.isSome(stepState(before, step).result))
    if (backendId !== undefined && backendId !== request.resource.backendId) {
      // Of a new resource the last look, below, says whether it is still there.
      const set: Effect.Effect<void, SiteError, Steps> =
        request._tag === "Create"
          ? Effect.zipRight(unlessTold(offering, request, outcome), waldur.putBackendId(resource, backendId))
          : waldur.setBackendId(resource, backendId)
      yield* ensureDone(told.backendId, set)
    }
    const limits = amounts === undefined ? {} : amountsToWaldur(components, amounts)
    if (Object.keys(limits).length > 0) {
      yield* ensureDone(
        told.limits,
        Effect.tap(waldur.setLimits(resource, limits), (written) =>
          Effect.logWarning("This Waldur has no call that sets limits of such a resource: they stay as ordered").pipe(
            Effect.when(() => written === "unsupported")
          )
        ),
        takingBack(offering, request)
      )
    }
    if (metadata !== undefined || issueSecrets !== undefined) {
      yield* ensureDone(
        told.metadata,
        Effect.flatMap(issueSecrets ?? Effect.succeed({}), (secrets) =>
          waldur.setBackendMetadata(resource, { ...metadata, ...revealed(secrets) })
        )
      )
    }
    if (endpoints !== undefined && endpoints.length > 0) {
      yield* ensureDone(told.endpoints, waldur.setEndpoints(resource, endpoints))
    }
    const scoped =
      request._tag === "Create"
        ? yield* decide("waldur: settled", Schema.Boolean, settled(offering, request, outcome))
        : hasScope
    if (scoped && request._tag !== "Terminate") yield* ensureDone("waldur: scope ok", waldur.setScopeOk(resource))
    // An earlier attempt told some of it, and Waldur may have been put back since to a time before that.
    if (isTold && direction === "forward" && request._tag !== "Terminate")
      yield* tellAgain(offering, request, outcome, scoped)
    // No step: told again after a crash, it is what Waldur has already.
    if (request._tag === "Terminate") yield* offering.lastHours?.(resource) ?? Effect.void
    // The order was ended by others, for whoever finds it done and knows of nothing that was done for it.
    const { begun } = stepState(yield* journal.entries, done)
    yield* ensure(done, {
      result: Schema.Null,
      perform: Effect.gen(function* () {
        const how = yield* Effect.catchTags(waldur.setStateDone(request.order), {
          WaldurServerError: (error) => unlessEnded(offering, request, error),
          WaldurConflict: (error) => unlessEnded(offering, request, error)
        })
        if (yield* isDoneByAnother(journal, how, begun)) yield* yieldTo(offering, request, outcome)
        return null
      }),
      ends: true
    })
    if (isOfLimits(request, outcome)) yield* ensureDone("waldur: limits kept", keepLimits(offering, request, outcome))
  })

/**
 * Of an order that this agent has not approved, another one may have said what it came to, and that it is done: from then on the customer's next orders
 * are about that, and nothing else may be told in between.
 */
const unlessTold = (offering: Offering, request: OrderRequest, outcome: Outcome) =>
  Effect.gen(function* () {
    const { waldur } = offering
    const { journal } = yield* Steps
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

/**
 * There is no way from a resource that has ended to one that is OK, so Waldur fails at "done", for ever (source: waldur-mastermind, marketplace/models.py,
 * `set_state_ok`): its staff has ended it since the order was placed, or it was put back from a backup.
 */
export const isEndedThere = ({ waldur }: Offering, { _tag, order, resource }: OrderRequest) =>
  _tag === "Terminate"
    ? Effect.succeed(false)
    : Effect.map(
        sideBySide(waldur.order(order), waldur.resource(resource.id)),
        ([now, found]) => now.state === "executing" && found.state === "Terminated"
      )

const unlessEnded = (offering: Offering, request: OrderRequest, error: SiteError) =>
  Effect.gen(function* () {
    if (!(yield* isEndedThere(offering, request))) return yield* Effect.fail(error)
    return yield* new OrderRefused({
      customerMessage:
        "The resource was ended in the marketplace while the order was carried out, so the order was undone: ask the provider.",
      detail: error.message
    })
  })

/** Nothing of this ends the order: Waldur has taken it before, and may have heard `done`. */
const tellAgain = (offering: Offering, request: OrderRequest, outcome: Outcome, hasScope: boolean) =>
  remind(offering, request, outcome, hasScope).pipe(
    Effect.tap((wasLost) =>
      Effect.logWarning(
        "Waldur has lost what it was told of this order, and seems to have been put back to an earlier state: it was told once more"
      ).pipe(Effect.when(() => wasLost))
    ),
    Effect.catchIf(
      (error) => error.disposition === "fail-order",
      (error) => Effect.logWarning(`Waldur does not take once more what it was told of this order: ${error.message}`)
    )
  )

/**
 * A look as late as can be, after which nothing but `done` is left to say: the server's background task may have overwritten the backend
 * id since it was set, or another agent may have (`rivals.ts`). Says whether the server keeps something of its own behind the resource: such a one sets the
 * id itself.
 */
const settled = (offering: Offering, request: OrderRequest, outcome: Outcome) =>
  Effect.gen(function* () {
    const { waldur } = offering
    const { journal } = yield* Steps
    const { backendId } = outcome
    const found = yield* waldur.resource(request.resource.id)
    const hasScope = Option.isSome(found.scopeUuid)
    if (!hasScope && !isRestored(yield* journal.entries))
      yield* assertUntold(offering, request, outcome, found.backendId)
    if (backendId !== undefined && !Option.contains(found.backendId, backendId)) {
      yield* waldur.setBackendId(request.resource.id, backendId)
    }
    return hasScope
  })

const revealed = (secrets: Readonly<Record<string, Redacted.Redacted>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secrets).map(([key, secret]) => [key, Redacted.value(secret)]))
