/** The test itself: create, change, terminate, each an order as a customer places it. */
import { Clock, Console, Data, Effect, Option, PubSub, Queue, Ref } from "effect"
import { OrderId } from "../../core/index.js"
import { Recorder } from "../activity/recorder.js"
import { Activities } from "../activity.js"
import { cancel } from "../control/actions.js"
import { hasEnded } from "../demo/customer.js"
import { ordersInTurn } from "../demo/live.js"
import { Journal } from "../journal/journal.js"
import { Offerings } from "../offerings/offering.js"
import type { Stage } from "./stage.js"

export interface Tried {
  readonly operation: "create" | "change" | "terminate"
  readonly state: string
  readonly milliseconds: number
  /** What came of it, or the sentence that a customer would read. */
  readonly remark: string
}

/** An order that was placed. */
interface Placed {
  readonly operation: Tried["operation"]
  readonly order: string
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

/** ms. An order that the agent has not taken by then, as its offering is not open, has made nothing. */
const untaken = 2_000

/** Has the order undone, as soon as the agent has taken it. Gives whether it was done all the same. */
const isDoneOrUndone = (customer: Stage["customer"], order: string, since: number) =>
  Effect.gen(function* () {
    const heard = yield* Effect.gen(function* () {
      const { state } = yield* customer.look(order)
      if (hasEnded(state) || (yield* cancel(OrderId.make(order), "order-test", "broken off")).ok) return "yes"
      const waited = (yield* Clock.currentTimeMillis) - since
      return state.startsWith("pending") && waited > untaken ? "never" : "not yet"
    }).pipe(Effect.delay("100 millis"), Effect.repeat({ until: (heard) => heard !== "not yet" }))
    return heard === "yes" && (yield* customer.ended(order, since)).state === "done"
  })

/** ms. For so long the offering may wait for its cloud, or a call for its answer, before what was made is left where it is. */
const patience = 20_000

/** Completes when the cloud has given no answer for so long, counted from now on. */
const unanswered = Effect.gen(function* () {
  const offerings = yield* Offerings
  const recorder = yield* Recorder
  const begun = yield* Clock.currentTimeMillis
  let waitsSince = Number.POSITIVE_INFINITY
  const isSilent = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const open = [...(yield* Ref.get(offerings)).values()]
    const waits = open.length === 0 || (yield* Effect.exists(open, ({ health }) => health.waits))
    waitsSince = waits ? Math.min(waitsSince, now) : Number.POSITIVE_INFINITY
    const asked = recorder.underWay().filter(({ system }) => system !== "waldur")
    return now - Math.max(begun, Math.min(waitsSince, ...asked.map(({ since }) => since))) >= patience
  })
  yield* isSilent.pipe(Effect.delay("200 millis"), Effect.repeat({ until: (silent) => silent }))
})

/** Ends the order in work, and what was made by it or by those before it; if the cloud does not answer, says what may be left. */
const takenBack = (stage: Stage, placed: Placed) =>
  Effect.gen(function* () {
    yield* Console.error(
      "Broken off: what was made on the cloud is removed first. Ctrl-C again ends at once, and leaves it for `site-actors orphans`."
    )
    const { resource } = yield* stage.customer.look(placed.order)
    const leaving = Effect.zipRight(
      unanswered,
      Console.error(
        `The cloud has given no answer for ${patience / 1000} s. What was made there may still be there: when it answers again, \`site-actors orphans\` lists it, and \`site-actors orphans --remove ${resource} --yes\` removes it.`
      )
    )
    // Whoever has been interrupted runs this uninterruptibly, and would wait for the slower one.
    yield* Effect.raceFirst(Effect.interruptible(removing(stage, placed, resource)), Effect.interruptible(leaving))
  }).pipe(Effect.catchAll((error) => Console.error(`What was made may still be there: ${error}`)))

const removing = ({ customer }: Stage, { operation, order }: Placed, resource: string) =>
  Effect.gen(function* () {
    const since = yield* Clock.currentTimeMillis
    const isMade =
      operation === "terminate" || (yield* isDoneOrUndone(customer, order, since)) || operation === "change"
    if (!isMade) {
      const left = yield* (yield* Journal).leftovers
      const steps = left.map(({ step }) => step).join(", ")
      return yield* Console.error(
        left.length === 0 ? nothingLeft : `Could not be undone: ${steps}. \`site-actors orphans\` lists what is left.`
      )
    }
    const removed = yield* operation === "terminate" ? customer.ended(order, since) : customer.terminate(resource)
    yield* Console.error(removed.state === "done" ? nothingLeft : `It could not be removed: ${removed.error}`)
  })

const nothingLeft = "Nothing of it is left."
