/** Orders that are taken on. */
import { Clock, Effect, Option, Schema } from "effect"
import {
  newerThanJournal,
  OrderId,
  type OrderJournal,
  OrderRefused,
  refuse,
  type SiteError,
  wholeOrder
} from "../../../core/index.js"
import type * as api from "../../../waldur/api/index.js"
import { Journal } from "../../journal/journal.js"
import { Metrics } from "../../metrics/index.js"
import type { Offering } from "../../offerings/offering.js"
import { resourceToBegin } from "../forgotten.js"
import { homeOf, madeElsewhere } from "../home.js"
import { tell } from "../telling.js"
import { Accepted, requestOf } from "./request.js"

/** Takes an order on: from here on it is ours to end. `undefined`: it is not the provider's turn. */
export const accept = (
  offering: Offering,
  order: api.Order,
  read: Effect.Effect<api.ProviderResource, SiteError>,
  journal: OrderJournal
) =>
  Effect.gen(function* () {
    if (order.state !== "pending-provider" && order.state !== "executing") return undefined
    const request = yield* requestOf(offering, order, resourceToBegin(read)).pipe(
      Effect.catchIf(
        (error) => error instanceof OrderRefused,
        (refusal) => Effect.succeed(refusal)
      )
    )
    const accepted: Accepted = {
      offering: offering.id,
      approve: order.state === "pending-provider",
      ...homeOf(offering),
      ...(order.type !== "Create" ? yield* madeElsewhere(offering, journal.resource) : {}),
      ...(request instanceof OrderRefused ? {} : { request })
    }
    yield* journal.append(wholeOrder, "accepted", yield* Effect.orDie(Schema.encode(Accepted)(accepted)))
    const begun = yield* begunBefore(offering, order)
    if (Option.isSome(begun)) yield* journal.append(wholeOrder, "restored", begun.value)
    if (request instanceof OrderRefused) yield* refuse(journal, request)
    yield* Effect.logInfo(`${order.type} of ${JSON.stringify(order.resourceName)} accepted`)
    const metrics = yield* Metrics
    metrics.orderAccepted({ offering: offering.id, type: order.type })
    yield* tell(offering, journal, "accepted", order.type)
    return accepted
  })

/** Waldur's clock and ours may differ by that, in ms. */
const clocksApart = 600_000
/** What has ended is kept for a day and longer (`journal_retention_days`), in ms. */
const keptAtLeast = 86_400_000

/**
 * May an order that this journal does not know have been begun already? By an agent whose journal was lost, and this one made in its place; before this
 * one was put back from a backup; or so long ago that it has been forgotten, and Waldur was put back to a time before it ended. By another agent, the Python
 * one, that this one was started in the place of: the journal is older than such an order (`newerThanJournal`), so what has a mark is not its own.
 */
const begunBefore = (
  { early, openedAt }: Pick<Offering, "early" | "openedAt">,
  order: api.Order
): Effect.Effect<Option.Option<typeof newerThanJournal | undefined>, SiteError, Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const created = Option.match(order.created, { onNone: () => 0, onSome: (at) => Date.parse(at) })
    const isOld = !(created > (yield* Clock.currentTimeMillis) - keptAtLeast + clocksApart)
    if (isOld && Option.exists(yield* journal.forgotUntil, (at) => !(created > at + clocksApart)))
      return Option.some(undefined)
    if (order.state !== "executing") return Option.none()
    // Of a new journal and a new process without that allowance: their first orders would all be looked for. What executed at the first look did so before.
    const isBefore = yield* early.executedBefore(OrderId.make(order.uuid))
    if (!(created > (yield* journal.made))) return Option.some(undefined)
    const started = yield* journal.startedFromBackup
    if (Option.exists(started, (at) => !(created > at + clocksApart))) return Option.some(undefined)
    return created > openedAt && !isBefore ? Option.none() : Option.some(newerThanJournal)
  })
