/**
 * Orders with a start date, where the server lets customers choose one: approved by the provider, such an order waits for the day, and is
 * executing from then on. So it is approved without being taken on, and nothing is built before its time.
 */
import { Clock, Effect, Option } from "effect"
import { NotYet, type SiteError } from "../../../core/index.js"
import type * as api from "../../../waldur/api/index.js"
import type { WaldurService } from "../../../waldur/index.js"

type Calls = Pick<WaldurService, "approveByProvider" | "awaitExecuting">

/** The step in which it is waited for that the order executes in Waldur. */
export const atStart = "waldur: executing"

const day = 86_400_000

/** Is its day still to come, or so near that the server's clock may say so? Which it is, the server says after the approval. */
const mayStartLater = ({ startDate }: api.Order): Effect.Effect<boolean> =>
  Effect.map(Clock.currentTimeMillis, (now) => Option.exists(startDate, (date) => !(Date.parse(date) < now - 2 * day)))

/** The order as it is to be looked at: approved ahead, if it has a start date; it may then wait for that, or be executing. */
export const startedOr = (waldur: Calls, order: api.Order): Effect.Effect<api.Order, SiteError> =>
  Effect.gen(function* () {
    if (order.state !== "pending-provider" || !(yield* mayStartLater(order))) return order
    yield* waldur.approveByProvider(order.uuid)
    const now = yield* waldur.awaitExecuting(order.uuid, { scopeGrace: 0 })
    if (now.state === "pending-start-date")
      yield* Effect.logInfo(`Approved; it begins on ${Option.getOrElse(now.startDate, () => "its start date")}`)
    return now
  })

/** Of an order that was taken on: executing, or ended. */
export const awaitStart = (
  waldur: Calls,
  order: string,
  options?: Parameters<Calls["awaitExecuting"]>[1]
): Effect.Effect<api.Order, SiteError> =>
  Effect.filterOrFail(
    waldur.awaitExecuting(order, options),
    ({ state }) => state !== "pending-start-date",
    ({ startDate }) =>
      new NotYet({ reason: `Order ${order} waits for ${Option.getOrElse(startDate, () => "its start date")}.` })
  )
