/** A test on a real cloud that somebody breaks off: what it has made is taken back, or it is said what may be left. */
import { Clock, Console, Effect, Ref } from "effect"
import { OrderId } from "../../core/index.js"
import { Recorder } from "../activity/recorder.js"
import { cancel } from "../control/actions.js"
import { hasEnded } from "../demo/customer.js"
import { Journal } from "../journal/journal.js"
import { Offerings } from "../offerings/offering.js"
import type { Stage } from "./stage.js"

/** An order that was placed. */
export interface Placed {
  readonly operation: "create" | "change" | "terminate"
  readonly order: string
}

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
export const takenBack = (stage: Stage, placed: Placed) =>
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
