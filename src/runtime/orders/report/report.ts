/** What the marketplace is told of an order that was carried out: each call a step, so that none is forgotten after a crash. */
import { Effect, Option, Schema } from "effect"
import {
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
} from "../../../core/index.js"
import type { Offering } from "../../offerings/offering.js"
import { assertUntold, isDoneByAnother, yieldTo } from "../rivals.js"
import { ours } from "../story.js"
import type { Foretold } from "./foretold.js"
import { isOfLimits, keepLimits, remind } from "./remind.js"
import { ValueName, valuesOf } from "./values.js"

/** The step in which a value is told. */
const stepOf = (value: ValueName): string => `${ours}${value}`
const done = `${ours}done`

/**
 * Tells Waldur the outcome, the state of the order last: `done` must not be seen before what belongs to it.
 *
 * `hasScope`: when the order was taken, the server kept something of its own behind the resource, which must be told as well.
 * What it was told while the work went on is not told again.
 */
export const report = (
  offering: Offering,
  request: OrderRequest,
  outcome: Outcome,
  hasScope: boolean,
  { isOld, told }: Pick<Foretold, "isOld" | "told">
) =>
  Effect.gen(function* () {
    const { waldur } = offering
    const resource = request.resource.id
    const { direction, journal } = yield* Steps
    const before = yield* journal.entries
    const stateOf = (name: ValueName) => stepState(before, stepOf(name))
    const isTold = isOld || ValueName.literals.some((name) => Option.isSome(stateOf(name).result))
    const foretold = told(outcome)
    for (const { name, takeBack, tell } of valuesOf(offering, journal, request, outcome)) {
      if (!foretold.has(name) || stateOf(name).begun) yield* ensureDone(stepOf(name), tell, takeBack)
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
        if (request._tag === "Create" && (how === "found moved" || begun)) yield* assertNotEnded(offering, request)
        if (yield* isDoneByAnother(journal, how, begun)) yield* yieldTo(offering, request, outcome)
        return null
      }),
      ends: true
    })
    if (isOfLimits(request, outcome)) yield* ensureDone("waldur: limits kept", keepLimits(offering, request, outcome))
  })

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
    return yield* ended(error.message)
  })

const ended = (detail: string) =>
  new OrderRefused({
    customerMessage:
      "The resource was ended in the marketplace while the order was carried out, so the order was undone: ask the provider.",
    detail
  })

/**
 * Of a create today's server has the order done before it fails at the resource (marketplace/callbacks.py, `resource_creation_succeeded`): nobody has what was
 * made.
 */
const assertNotEnded = ({ waldur }: Offering, { resource }: OrderRequest) =>
  Effect.flatMap(waldur.resource(resource.id), ({ state }) =>
    state === "Terminated" ? ended("Waldur has the order as done, and its resource as ended") : Effect.void
  )

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
 * id since it was set, or another agent may have (`orders/rivals.ts`). Says whether the server keeps something of its own behind the resource: such a one sets the
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
