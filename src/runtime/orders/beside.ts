/**
 * Two orders of one type that execute for one resource. Waldur takes no order for a resource that has an open one; but an erred one may be taken up again
 * there (`retry`) while the next is at work. At "done" Waldur looks for the order by its resource and type, finds two, leaves both executing, and answers 200
 * all the same (source: waldur-mastermind, marketplace/views.py, `retry`; marketplace/callbacks.py, `set_order_state`).
 */
import { Effect, Option } from "effect"
import { NotYet, type SiteError } from "../../core/index.js"
import type * as api from "../../waldur/api/index.js"
import { isFinal, orderStates } from "../../waldur/index.js"
import type { Offering } from "../offerings/offering.js"

type At = Pick<Offering, "waldur">

/** The resource's other orders in these states. */
const beside = ({ waldur }: At, order: string, resource: string, states: ReadonlyArray<api.OrderState>) =>
  Effect.map(waldur.orders({ resource, states }), ({ items }) => items.filter(({ uuid }) => uuid !== order))

const open = orderStates.filter((state) => !isFinal(state))

/** Another order of the resource that has not ended. */
export const openBeside = (offering: At, order: string, resource: string) =>
  Effect.map(beside(offering, order, resource, open), ([other]) => other)

/** What executes for its resource beside it, and is of its type. */
const executingBeside = (offering: At, { resourceUuid, type, uuid }: api.Order) =>
  Option.match(resourceUuid, {
    onNone: () => Effect.succeed<ReadonlyArray<api.Order>>([]),
    onSome: (resource) =>
      Effect.map(beside(offering, uuid, resource, ["executing"]), (others) =>
        others.filter((other) => other.type === type)
      )
  })

/**
 * An order that had erred and was taken up again: with another one at work that is as open as it is, neither could be ended. The other one is the later wish, so
 * this one errs once more, before anything is done for it. Says whether it has.
 */
export const yieldsToNext = (offering: At, order: api.Order): Effect.Effect<boolean, SiteError> =>
  Effect.gen(function* () {
    if (order.state !== "executing") return false
    const [next] = yield* executingBeside(offering, order)
    if (next === undefined) return false
    if (order.type === "Terminate") yield* assertThere(offering, next)
    yield* offering.waldur.setStateErred(
      order.uuid,
      `Another order for this resource (${next.uuid}) is being carried out, so this one was not taken up again: wait until that one has ended, then order again.`
    )
    yield* Effect.logWarning(`Not taken up again: order ${next.uuid} of the same resource executes beside it`)
    return true
  })

/**
 * There is no way from a resource that has ended to one that is OK, which it is after an end that failed: Waldur answers 500, for ever (marketplace/models.py,
 * `set_state_ok`).
 */
const assertThere = ({ waldur }: At, { resourceUuid, uuid }: api.Order): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    if (Option.isNone(resourceUuid) || (yield* waldur.resource(resourceUuid.value)).state !== "Terminated") return
    return yield* new NotYet({
      reason: `The resource has ended, but order ${uuid} executes beside this one: Waldur can end neither of two. Have one of them removed there by its staff.`
    })
  })

/** Fails while Waldur has an order executing of which it has just taken "done". */
export const assertEnded = (offering: At, uuid: string): Effect.Effect<void, SiteError> =>
  Effect.gen(function* () {
    const order = yield* offering.waldur.order(uuid)
    if (order.state !== "executing") return
    const others = yield* executingBeside(offering, order)
    const why =
      others.length === 0
        ? ""
        : ` ${others.map((other) => other.uuid).join(", ")} of the same resource and type executes beside it, and Waldur ends none of them then: have one of them set to erred there, or removed, by its staff.`
    return yield* new NotYet({
      reason: `Waldur has taken it that the order is done, and has it executing all the same.${why}`
    })
  })
