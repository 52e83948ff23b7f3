/** How an order ends: what could not be undone goes on the list, Waldur is told, and the journal has it as done or erred. */
import { Clock, Effect } from "effect"
import {
  type Leftover,
  NotYet,
  type OrderJournal,
  type OrderRefused,
  type SiteError,
  wholeOrder
} from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { isEndedByOthers, isMissing, type WaldurError } from "../../waldur/index.js"
import { Journal } from "../journal/journal.js"
import { visible } from "../logging.js"
import { Metrics } from "../metrics/index.js"
import type { Offering } from "../offerings/offering.js"
import { awaitStart } from "./accepting/start.js"
import { takeBackForetold } from "./report/foretold.js"
import { acceptedIn, isNoted } from "./story.js"
import { tell } from "./telling.js"

export interface GivenUp {
  readonly refusal: OrderRefused
  readonly leftovers: ReadonlyArray<Pick<Leftover, "step" | "reason">>
}

/** After the undo: what is left goes on the list, and what Waldur was told ahead is taken back, as it came to nothing. */
export const noteUndone = (offering: Offering, journal: OrderJournal, { leftovers, refusal }: GivenUp) =>
  Effect.gen(function* () {
    yield* (yield* Journal).recordLeftovers(
      leftovers.map((leftover) => ({ ...leftover, order: journal.order, resource: journal.resource }))
    )
    yield* Effect.logWarning(`Refused: ${refusal.message}`)
    if (leftovers.length > 0)
      yield* Effect.logError(`Could not be undone: ${leftovers.map((left) => left.step).join(", ")}`)
    const { request } = yield* acceptedIn(yield* journal.entries)
    if (request !== undefined) yield* takeBackForetold(offering, journal, request)
  })

/** What a create has left concerns the provider alone. What is changed is in use: it may be powered off, say. */
const notAllUndone = ({ type }: api.Order, { customerMessage }: OrderRefused): string =>
  type === "Update"
    ? `${customerMessage} What was changed for this order could not all be taken back yet: the provider sees it, and it is tried again.`
    : customerMessage

/** After the undo Waldur is told, if the order still runs there. */
export const giveUp = (offering: Offering, order: api.Order, journal: OrderJournal, result: GivenUp) =>
  Effect.gen(function* () {
    const { waldur } = offering
    const { refusal } = result
    const sentence = result.leftovers.length === 0 ? refusal.customerMessage : notAllUndone(order, refusal)
    yield* noteUndone(offering, journal, result)
    // Nor is one rejected: of every type but Create, Waldur would take the resource for OK, and bill it, restored or not.
    if (!isEndedByOthers(order.state)) {
      // Only an executing order may be set to erred: on any other, Waldur would mark the resource.
      yield* waldur.approveByProvider(order.uuid).pipe(Effect.when(() => order.state === "pending-provider"))
      const now = yield* awaitStart(waldur, order.uuid)
      const details = offering.exposesErrorDetails ? visible(refusal.detail ?? "") : ""
      if (now.state === "executing") {
        if (order.type === "Terminate" && (yield* stateThere(offering, journal.resource)) === "Terminated")
          yield* tellEnded(offering, order, refusal)
        else {
          yield* noteStanding(offering, order, journal)
          yield* Effect.mapError(waldur.setStateErred(order.uuid, sentence, details), sayWhatToDo)
        }
      }
    }
    if (result.leftovers.length === 0) yield* asItStood(offering, journal)
    return yield* end(offering, journal, "erred", refusal.customerMessage)
  })

/** Its resource was in use when this agent said that the order has erred. */
const stood = "was in use"

/** Written down first, as it could not be told from what staff has done once the order has erred. What was Erred before stays so. */
const noteStanding = ({ waldur }: Offering, { type }: api.Order, journal: OrderJournal) =>
  Effect.gen(function* () {
    if (type !== "Update" || isNoted(yield* journal.entries, stood)) return
    const state = yield* stateThere({ waldur }, journal.resource)
    if (state === "OK" || state === "Updating") yield* journal.append(wholeOrder, stood)
  })

/**
 * With an order Waldur has its resource as Erred too, and takes no order for other limits or another plan for such a one (source: waldur-mastermind,
 * marketplace/views.py, `set_state_erred` and `update_limits_validators`). Once a change is undone completely, the resource is what it was: OK. The Python agent says so at its next look at members.
 */
export const asItStood = ({ waldur }: Offering, journal: OrderJournal): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    if (!isNoted(yield* journal.entries, stood)) return
    if ((yield* stateThere({ waldur }, journal.resource)) === "Erred") yield* waldur.setAsOk(journal.resource)
  }).pipe(
    Effect.catchIf(
      (error) => error.disposition !== "retry",
      (error) =>
        Effect.logWarning(`Waldur may have the resource as erred, though the change is undone: ${error.message}`)
    )
  )

/** The resource's; none where Waldur does not show it. */
const stateThere = (
  { waldur }: Pick<Offering, "waldur">,
  resource: string
): Effect.Effect<api.ResourceState | undefined, SiteError> =>
  waldur.resource(resource).pipe(
    Effect.map(({ state }) => state),
    Effect.catchIf(isMissing, () => Effect.succeed(undefined))
  )

/**
 * An end that failed, of a resource that Waldur's staff has ended meanwhile. "Erred" would make the resource OK again, to which there is no way from there: 500, for
 * ever, and nothing is changed (source: waldur-mastermind, marketplace/views.py, `set_state_erred`; models.py, `set_state_ok`). "Done" it takes, and leaves the
 * resource as it is (marketplace/callbacks.py, `resource_deletion_succeeded`): nobody is billed, and what still stands in the cloud are orphans from then on.
 */
const tellEnded = ({ waldur }: Offering, { uuid }: api.Order, { message }: OrderRefused) =>
  Effect.zipRight(
    waldur.setStateDone(uuid),
    Effect.logError(
      `Waldur has the resource as ended already, so it cannot be told that its end failed, and has the order as done. What still stands in the cloud is listed by \`site-actors orphans\`, and nobody pays for it: ${message}`
    )
  )

/** Not of a proxy in front of it: Waldur itself breaks at this order, and may do so for ever. */
const sayWhatToDo = (error: WaldurError): SiteError =>
  error._tag === "WaldurServerError" && error.status === 500
    ? new NotYet({
        reason: `${error.message} Nothing is left to do for this order but to say that it has erred, at which Waldur breaks. If it goes on, its own log says why; have the order set to erred there, or removed (\`unlink\`), by its staff.`
      })
    : error

export const end = (offering: Offering, journal: OrderJournal, how: "done" | "erred", detail?: string) =>
  Effect.gen(function* () {
    yield* journal.append(wholeOrder, how)
    const [accepted] = yield* journal.entries
    const metrics = yield* Metrics
    const now = yield* Clock.currentTimeMillis
    metrics.orderEnded(journal.order, how, now - (accepted?.at ?? now))
    yield* Effect.logInfo(how === "done" ? "Done" : "Erred")
    yield* tell(offering, journal, how, detail)
    return how
  })
