/** The test itself: create, change, terminate, each an order as a customer places it. */
import { Clock, Data, Effect, Option, PubSub, Queue, Ref } from "effect"
import { Activities } from "../activity.js"
import { ordersInTurn } from "../demo/live.js"
import { type Placed, takenBack } from "./broken-off.js"
import type { Stage } from "./stage.js"

export interface Tried {
  readonly operation: Placed["operation"]
  readonly state: string
  readonly milliseconds: number
  /** What came of it, or the sentence that a customer would read. */
  readonly remark: string
}

/**
 * `keep`: the resource stays. What was made is ended also when the change fails; a create that fails leaves nothing by itself. Whoever breaks off on
 * a real cloud leaves nothing there either.
 */
export const tryOrder = (stage: Stage, keep: boolean) =>
  Effect.gen(function* () {
    const last = yield* Ref.make(Option.none<Placed>())
    return yield* ordersOf(stage, keep, last).pipe(
      Effect.onInterrupt(() =>
        Effect.flatMap(
          Ref.get(last),
          Option.match({
            onNone: () => Effect.void,
            onSome: (placed) => (stage.real ? takenBack(stage, placed) : Effect.void)
          })
        )
      )
    )
  })

const ordersOf = ({ customer, wish, change }: Stage, keep: boolean, last: Ref.Ref<Option.Option<Placed>>) =>
  Effect.gen(function* () {
    const tried: Array<Tried> = []
    const total = 1 + (change === undefined ? 0 : 1) + (keep ? 0 : 1)
    const tellOf = yield* ordersInTurn("test order", total)
    const toItsEnd = <E, R>(operation: Tried["operation"], placing: Effect.Effect<string, E, R>) =>
      Effect.gen(function* () {
        yield* tellOf(operation, tried.length)
        const since = yield* Clock.currentTimeMillis
        // Whoever breaks off in between knows of it.
        const order = yield* Effect.uninterruptible(
          Effect.tap(placing, (order) => Ref.set(last, Option.some({ operation, order })))
        )
        const ended = yield* customer.ended(order, since)
        const resource = yield* customer.resource(ended.resource)
        const remark =
          ended.state === "done" ? `resource ${resource.state}, backend id ${resource.backend_id ?? ""}` : ended.error
        tried.push({ operation, state: ended.state, milliseconds: ended.milliseconds, remark })
        return ended
      })
    const created = yield* toItsEnd("create", customer.place.create(wish))
    if (created.state !== "done") return tried
    if (change !== undefined) {
      yield* toItsEnd(
        "change",
        change.by === "limits"
          ? customer.place.updateLimits(created.resource, change.limits)
          : customer.place.switchPlan(created.resource, wish.offering, change.plan)
      )
    }
    if (!keep) yield* toItsEnd("terminate", customer.place.terminate(created.resource))
    return tried
  })

/** The offering could not be opened: nothing is tried, nor was anything made. */
export class NotOpened extends Data.TaggedError("NotOpened")<{ readonly reason: string }> {
  override get message(): string {
    return `The test order was not tried, as the offering cannot be opened: ${this.reason}`
  }
}

/**
 * Begins to listen; what it gives waits until the agent has opened the offering, and fails when it cannot. An agent goes on trying, as a service has
 * to; whoever tries an offering wants to know.
 */
export const listenForOpening = Effect.gen(function* () {
  const activities = yield* PubSub.subscribe(yield* Activities)
  const told = Effect.gen(function* () {
    const activity = yield* Queue.take(activities)
    if (activity._tag !== "Offering") return false
    if (activity.event === "closed") return yield* new NotOpened({ reason: activity.detail ?? "" })
    return activity.event === "open"
  })
  return Effect.asVoid(Effect.repeat(told, { until: (isOpen) => isOpen }))
})
