/** What an operator may do on the page: carried out, and written down with who did it. What each will do stands in `views/previews.ts`. */
import { SqlClient } from "@effect/sql"
import { Effect, Schema } from "effect"
import type { Action, Outcome, Visitor } from "../../api/index.js"
import { OfferingId, OrderId, ResourceId } from "../../core/index.js"
import { Bells } from "../actors/bells.js"
import type { Config } from "../config/index.js"
import { unavailable } from "../database/sql.js"
import { storyOf } from "../journal/history.js"
import { sinceAccepted } from "../journal/journal.js"
import { Pausings } from "../offerings/pausings.js"
import { Cancellations } from "../orders/cancellations.js"
import { endCountsSince } from "../orders/home.js"
import { cancelObjection } from "../views/previews.js"
import { resourceOf } from "./accepted.js"
import { audited, type Deed } from "./audit.js"
import { done, leftovers, look, lookForOrders, not, release, retry } from "./desk.js"

const deedOf = (action: Action): Pick<Deed, "subject" | "detail"> => {
  switch (action.kind) {
    case "retry":
    case "remove-leftovers":
      return { subject: action.order, detail: "" }
    case "cancel":
      return { subject: action.order, detail: action.reason }
    case "release":
      return { subject: action.resource, detail: "" }
    case "forget-leftover":
      return { subject: action.order, detail: action.step }
    case "reconcile":
      return { subject: action.offering ?? "", detail: "" }
    case "pause":
      return { subject: action.offering, detail: action.reason }
    case "resume":
      return { subject: action.offering, detail: "" }
  }
}

/** For those who may. What cannot be done now is an outcome with a sentence. */
export const perform = (config: Config, visitor: Visitor, action: Action) =>
  audited(
    { who: visitor.name, role: visitor.role, by: visitor.by, kind: action.kind, ...deedOf(action) },
    carriedOut(config, visitor, action)
  )

const isConfigured = (config: Config, offering: string): boolean => config.offerings.some(({ id }) => id === offering)
const noSuchOffering = not("The configuration has no such offering.")

const carriedOut = (config: Config, visitor: Visitor, action: Action) =>
  Effect.gen(function* () {
    switch (action.kind) {
      case "retry":
        return yield* retry(OrderId.make(action.order))
      case "cancel":
        return yield* cancel(OrderId.make(action.order), visitor.name, action.reason)
      case "release":
        return yield* release(ResourceId.make(action.resource))
      case "remove-leftovers":
        return yield* leftovers(OrderId.make(action.order))
      case "forget-leftover":
        return yield* forget(action.order, action.step)
      case "reconcile":
        return action.offering === undefined ? yield* look : yield* lookAt(action.offering)
      case "pause": {
        if (!isConfigured(config, action.offering)) return noSuchOffering
        yield* (yield* Pausings).pause(OfferingId.make(action.offering), visitor.name, action.reason)
        return done("Paused: what is in work goes on to its end, and nothing new is begun.")
      }
      case "resume": {
        if (!isConfigured(config, action.offering)) return noSuchOffering
        yield* (yield* Pausings).resume(OfferingId.make(action.offering))
        yield* lookForOrders
        return done("Resumed: its orders go on.")
      }
    }
  })

const isOffering = Schema.is(OfferingId)

const lookAt = (offering: string) =>
  Effect.map(
    Effect.flatMap(Bells, (bells) => (isOffering(offering) ? bells.lookAtAll(offering) : Effect.succeed(false))),
    (asked): Outcome =>
      asked
        ? done("It is looked at now: what is found stands in the list of differences.")
        : not("This offering is not looked at (yet).")
  )

export const cancel = (order: OrderId, who: string, reason: string) =>
  Effect.gen(function* () {
    const entries = sinceAccepted(yield* storyOf(order))
    const objection = cancelObjection(entries)
    if (objection !== undefined) return not(objection)
    yield* (yield* Cancellations).cancel(order, who, reason, endCountsSince(entries, entries[0]?.at ?? 0))
    const resource = yield* resourceOf(order)
    if (resource !== undefined) yield* (yield* Bells).wake(resource, order)
    return done("Cancelled: when the step in work has ended, what the order did is undone, and Waldur is told.")
  })

const forget = (order: string, step: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* unavailable(
      sql`DELETE FROM leftover WHERE order_id = ${order} AND step = ${step} RETURNING step`
    )
    return rows.length === 0
      ? not("This is not on the list of leftovers (any more).")
      : done("Taken off the list. Nothing was touched in the cloud.")
  })
