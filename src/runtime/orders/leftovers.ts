/**
 * Once more to what an undo could not remove.
 *
 * The order's handler is run in its undoing direction again: what the journal has as `undo-failed` is not `undone`, so it is undone
 * again, and nothing else is touched.
 */
import { Effect, Option, Schema } from "effect"
import { type OrderId, refusalIn } from "../../core/index.js"
import { Journal } from "../journal/journal.js"
import type { Lease } from "../journal/lease.js"
import type { Offering } from "../offerings/offering.js"
import { carryOutAccepted } from "./carryOut.js"
import { asItStood } from "./ending.js"
import { acceptedIn, stateIn } from "./story.js"

export const Undone = Schema.Literal(
  "gone",
  "left",
  /** A later order of the resource has set anew what this one would put back. Taken off the list. */
  "overtaken",
  /** Not of this attempt any more: the order was taken up again. Somebody has to look. */
  "taken up again",
  "not now"
)
export type Undone = typeof Undone.Type

/** Fails with what stands in the way for now: the list stays as it is. */
export const undoLeftovers = (offering: Offering, order: OrderId, lease: Lease) =>
  Effect.gen(function* () {
    const all = yield* Journal
    const journal = yield* all.order(order, lease)
    const entries = yield* journal.entries
    if (stateIn(entries) !== "erred" || Option.isNone(refusalIn(entries))) return "taken up again" as const
    const accepted = yield* acceptedIn(entries)
    // Putting back old sizes would undo the later order instead. What a create made is known by its id, and no later order makes it.
    if (accepted.request?._tag !== "Create" && Option.isSome(yield* all.overtakenBy(order, journal.resource))) {
      yield* all.settleLeftovers(order, [])
      return "overtaken" as const
    }
    const result = yield* carryOutAccepted(offering, journal, accepted)
    const left = result._tag === "Refused" ? result.leftovers : []
    yield* all.settleLeftovers(
      order,
      left.map((leftover) => ({ ...leftover, order, resource: journal.resource }))
    )
    if (left.length === 0) {
      yield* Effect.logInfo("What was left over is gone")
      yield* asItStood(offering, journal)
    }
    return left.length === 0 ? ("gone" as const) : ("left" as const)
  }).pipe(Effect.annotateLogs({ order, resource: lease.resource, offering: offering.name }))
