/**
 * Moving an order from state to state.
 *
 * Waldur guards its states: a second approval, a second "done" is answered with 409. So the rule for a conflict and for an unknown
 * outcome is the same: look where the order is, and if it is there already, that was us (or as good as us).
 */
import { Duration, Effect, Option, Schedule } from "effect"
import { NotYet } from "../../core/errors.js"
import { steadyMillis } from "../../core/lean/elapsed.js"
import { isFinal, type Order, type OrderState } from "../api/index.js"
import type { WaldurClient } from "../client.js"
import { isTransient, isUnsupported, WaldurConflict, type WaldurError } from "../errors.js"
import { mayComeWithin, retrying } from "../http/retry.js"
import type { AwaitExecutingOptions, Moved } from "../shapes.js"
import type { Reads } from "./reads.js"

const tries = 3
const longestMessage = 2_000
const longestTraceback = 10_000

interface Move {
  /** Where the order is while nothing has happened. */
  readonly from: ReadonlyArray<OrderState>
  /** Where it is once it has, whoever did it. */
  readonly reached: ReadonlyArray<OrderState>
}

/** Mostly it comes in a moment, or not at all. */
const lookAgain = Schedule.union(Schedule.exponential("25 millis", 2), Schedule.spaced("1 second"))

/** Waldur says which states it would have to be in, and not which one it is in. */
const found = ({ call, detail }: WaldurConflict, state: OrderState): WaldurConflict =>
  new WaldurConflict({ call, detail: `the order is ${state} there. ${detail}` })

export const makeTransitions = (client: WaldurClient, reads: Reads) => {
  const post = (order: string, action: string, body: unknown) =>
    Effect.asVoid(client.call({ method: "POST", path: `marketplace-orders/{uuid}/${action}/`, uuid: order, body }))

  /**
   * Sends; on a conflict or an unknown outcome looks; sends again only if the order is still where it was. That goes for a conflict as
   * well: a server may show a state a moment after it has entered it. A 400 is a refusal for good, if the order is not there already: some of
   * Waldur's views say so where others answer 409.
   */
  const move = (order: string, action: string, { from, reached }: Move): Effect.Effect<Moved, WaldurError> =>
    Effect.suspend(() => {
      let isUnheardOf = false
      const uncertain = (error: WaldurError) => error._tag === "WaldurConflict" || isTransient(error)
      const mayBeThere = (error: WaldurError) => uncertain(error) || error._tag === "WaldurInvalid"
      /** The inner effect is the verdict; a failure of the outer one asks for another try. */
      const sendThenLook: Effect.Effect<Effect.Effect<Moved, WaldurError>, WaldurError> = post(order, action, {}).pipe(
        Effect.as(Effect.succeed("moved" as const)),
        Effect.catchIf(mayBeThere, (error) => {
          if (isTransient(error)) isUnheardOf = true
          return Effect.matchEffect(reads.order(order), {
            // Nobody can look either: what is known is the first failure, and the caller's patience is longer than ours.
            onFailure: (blind) => Effect.succeed(Effect.fail(isTransient(blind) ? error : blind)),
            onSuccess: ({ state }): Effect.Effect<Effect.Effect<Moved, WaldurError>, WaldurError> => {
              if (reached.includes(state))
                return Effect.succeed(Effect.succeed(isUnheardOf ? "found moved" : "was there"))
              return uncertain(error) && from.includes(state)
                ? Effect.fail(error)
                : Effect.succeed(Effect.fail(error._tag === "WaldurConflict" ? found(error, state) : error))
            }
          })
        })
      )
      return Effect.flatten(retrying(tries, () => sendThenLook, uncertain))
    })

  const setStateErred = (order: string, message: string, traceback = ""): Effect.Effect<void, WaldurError> =>
    retrying(tries, () =>
      Effect.gen(function* () {
        const { state } = yield* reads.order(order)
        if (state === "erred") return
        if (state !== "executing") {
          return yield* new WaldurConflict({
            call: "POST marketplace-orders/{uuid}/set_state_erred/",
            detail: `the order is ${state}; only an executing one can be marked as erred`
          })
        }
        // Both fields: older servers answer 500 if one is missing (2024 recording 127).
        yield* post(order, "set_state_erred", {
          error_message: message.slice(0, longestMessage),
          error_traceback: traceback.slice(0, longestTraceback)
        }).pipe(
          // Waldur takes "erred" of an order that has erred already, and marks its resource once more, whatever an order after it has made of that: so it is not
          // said twice while the first may still come.
          Effect.tapError((error) => {
            const millis = mayComeWithin(error)
            return millis > 0 ? untilMoved(order, millis) : Effect.void
          })
        )
      })
    )

  /** Until it does not execute any more, or for so many ms. */
  const untilMoved = (order: string, millis: number): Effect.Effect<void> =>
    reads.order(order).pipe(
      Effect.filterOrFail(({ state }) => state !== "executing"),
      Effect.retry(lookAgain),
      Effect.timeout(millis),
      Effect.ignore
    )

  /**
   * `retry` resets the order and its resource, `set_state_executing` the order alone (source: waldur-mastermind, marketplace/views.py). A
   * resource that has ended does not come back by the latter: all would be made, and "done" be answered with 500 for ever.
   */
  const setStateExecuting = (order: string): Effect.Effect<void, WaldurError> => {
    const call = (action: string) => Effect.asVoid(move(order, action, { from: ["erred"], reached: ["executing"] }))
    return Effect.catchIf(call("retry"), isUnsupported, () =>
      Effect.gen(function* () {
        const { type, resourceUuid } = yield* reads.order(order)
        if (type === "Create" && Option.isSome(resourceUuid)) {
          const { state } = yield* reads.resource(resourceUuid.value)
          if (state === "Terminated") {
            return yield* new WaldurConflict({
              call: "POST marketplace-orders/{uuid}/set_state_executing/",
              detail:
                "the resource of this order has ended, and this Waldur cannot take it up again: it has to be ordered anew"
            })
          }
        }
        yield* call("set_state_executing")
      })
    )
  }

  /** Whether to wait for the scope of this order: what is known of its offering's server, else none. */
  const setsScope = ({ offeringUuid }: Order): Effect.Effect<Option.Option<boolean>, WaldurError> =>
    Option.match(offeringUuid, { onNone: () => Effect.succeedNone, onSome: reads.setsScope })

  const awaitExecuting = (
    uuid: string,
    options: AwaitExecutingOptions = {}
  ): Effect.Effect<Order, WaldurError | NotYet> =>
    Effect.gen(function* () {
      const deadline = Duration.toMillis(options.deadline ?? "30 seconds")
      const grace = Duration.toMillis(options.scopeGrace ?? "1 second")
      const started = yield* steadyMillis
      let executingSince = Number.POSITIVE_INFINITY
      // Asked once: an offering without any resource gets none that could tell while its first one is waited for.
      let sets: Option.Option<boolean> | undefined
      let pause = 25
      while (true) {
        const order = yield* reads.order(uuid)
        const now = yield* steadyMillis
        if (isFinal(order.state) || order.state === "pending-start-date") return order
        if (order.state === "executing") {
          if (order.type !== "Create" || Option.isSome(order.scopeUuid)) return order
          executingSince = Math.min(executingSince, now)
          sets ??= yield* setsScope(order)
          if (Option.isSome(sets) && !sets.value) return order
          // A server known to set it is given until the deadline; `setBackendId` reads back in any case.
          if (Option.isNone(sets)) {
            // By the time of this look at the order: asking may have taken longer than the moment itself.
            const left = executingSince + grace - now
            if (left <= 0) return order
            pause = Math.min(pause, left)
          }
        }
        if (now - started >= deadline) {
          if (order.state === "executing") return order
          return yield* new NotYet({ reason: `Order ${order.uuid} is still ${order.state} after ${deadline} ms.` })
        }
        yield* Effect.sleep(Duration.millis(pause))
        pause = Math.min(1_000, pause * 2)
      }
    })

  return {
    approveByProvider: (order: string) =>
      move(order, "approve_by_provider", {
        from: ["pending-provider"],
        reached: ["pending-start-date", "executing", "done", "erred"]
      }),
    setStateDone: (order: string) => move(order, "set_state_done", { from: ["executing"], reached: ["done"] }),
    setStateExecuting,
    setStateErred,
    awaitExecuting
  }
}
