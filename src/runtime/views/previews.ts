/** What an action will do, said before it is done. Only looks. */
import { SqlClient } from "@effect/sql"
import { Effect, Option, Schema } from "effect"
import type { Action, OrderRow, Preview } from "../../api/index.js"
import { type JournalEntry, OrderId, refusalIn, wholeOrder } from "../../core/index.js"
import { Quarantine } from "../actors/quarantine.js"
import type { Config } from "../config/index.js"
import { unavailable } from "../database/sql.js"
import { storyOf } from "../journal/history.js"
import { sinceAccepted } from "../journal/journal.js"
import { Pausings } from "../offerings/pausings.js"
import { Cancellations } from "../orders/cancellations.js"
import { isBeingTold } from "../orders/deadline.js"
import { isForgotten } from "../orders/forgotten.js"
import { endCountsSince, isElsewhere } from "../orders/home.js"
import { namesOf } from "./facts.js"
import { orderRow } from "./orders.js"

/** Why an order cannot be cancelled now; `undefined`: it can. `entries`: since it was last accepted. `cancelledBy`: who has done so, if somebody has. */
export const cancelObjection = (entries: ReadonlyArray<JournalEntry>, cancelledBy?: string): string | undefined => {
  if (entries.length === 0)
    return "The journal does not know this order: an order that waits in Waldur is cancelled there."
  const last = entries.findLast(
    ({ event, step }) => step === wholeOrder && ["accepted", "done", "erred", "quarantined", "resumed"].includes(event)
  )
  if (last?.event === "done" || last?.event === "erred") return "The order has ended."
  if (last?.event === "quarantined") return "A bug holds the order: release it first, then cancel it."
  // Before what follows from it: that has begun a moment later.
  if (cancelledBy !== undefined) return `${cancelledBy} has cancelled it already.`
  if (Option.isSome(refusalIn(entries)) && !isElsewhere(entries))
    return "The order has failed already, and is being undone."
  if (isBeingTold(entries) && !isForgotten(entries) && !isElsewhere(entries))
    return "Its work is done and Waldur is being told: it can only be done. End the resource by an order."
  return undefined
}

const unknownOrder = "The journal does not know this order."
const isOrderId = Schema.is(OrderId)

const named = (row: OrderRow): string => `the ${row.type ?? ""} order of ${JSON.stringify(row.name)}`.replace("  ", " ")

const stepsDone = (entries: ReadonlyArray<JournalEntry>): ReadonlyArray<string> => [
  ...new Set(
    entries
      .filter(
        ({ event, step }) =>
          step !== wholeOrder && !step.startsWith("waldur: ") && (event === "finished" || event === "adopted")
      )
      .map(({ step }) => step)
  )
]

const cancelPreview = (row: OrderRow) =>
  Effect.gen(function* () {
    const entries = sinceAccepted(yield* storyOf(row.order))
    const made = stepsDone(entries).toReversed()
    const undo =
      row.type === "Terminate"
        ? "What it has removed stays removed: only what can be put back is put back."
        : made.length === 0
          ? "It has made nothing yet that would have to be undone."
          : `What it did is undone, the last first: ${made.join(", ")}.`
    const already = isOrderId(row.order)
      ? yield* (yield* Cancellations).of(row.order, endCountsSince(entries, row.accepted))
      : undefined
    const preview: Preview = {
      title: `Cancel ${named(row)}?`,
      will: [
        "No further step is begun; the one in work has a minute to end.",
        undo,
        "The order ends as erred in Waldur. The customer reads that the provider has cancelled it, and not your reason.",
        "While the offering is paused or one of its servers is away, this waits as well."
      ],
      impossible: cancelObjection(entries, already?.who) ?? null,
      weight: "removes"
    }
    return preview
  })

const retryPreview = (row: OrderRow): Preview => {
  const title = `Retry ${named(row)}?`
  switch (row.state) {
    case "done":
      return { title, will: [], impossible: "The order is done: there is nothing to retry.", weight: "changes" }
    case "erred":
      return {
        title,
        will: [
          "What is left of its first attempt is undone first; if that fails, nothing else happens.",
          "The order is set to executing again in Waldur, where the customer sees it.",
          "It is carried out anew, from the beginning."
        ],
        impossible: null,
        weight: "changes"
      }
    case "quarantined":
      return {
        title,
        will: ["Its resource is released from quarantine, and the order goes on where it was."],
        impossible: null,
        weight: "changes"
      }
    default:
      return {
        title,
        will: ["If it rests between two attempts, the next one begins now. Else nothing happens."],
        impossible: null,
        weight: "changes"
      }
  }
}

/** For an action on an order, with what is known of it. */
const forOrder = <E, R>(
  config: Config,
  order: string,
  title: string,
  preview: (row: OrderRow) => Effect.Effect<Preview, E, R>
) =>
  Effect.flatMap(orderRow(namesOf(config), order), (row) =>
    row === undefined
      ? Effect.succeed<Preview>({ title, will: [], impossible: unknownOrder, weight: "changes" })
      : preview(row)
  )

const leftoversOf = (order: string) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{
      readonly step: string
    }>`SELECT step FROM leftover WHERE order_id = ${order} ORDER BY at, step`
    return rows.map(({ step }) => step)
  }).pipe(unavailable)

const offeringPreview = (config: Config, action: Action & { readonly kind: "pause" | "resume" }) =>
  Effect.gen(function* () {
    const offering = config.offerings.find(({ id }) => id === action.offering)
    const pausings = yield* (yield* Pausings).all
    return { offering, paused: offering === undefined ? undefined : pausings.get(offering.id) }
  })

export const preview = (config: Config, action: Action) =>
  Effect.gen(function* () {
    switch (action.kind) {
      case "retry":
        return yield* forOrder(config, action.order, "Retry the order?", (row) => Effect.succeed(retryPreview(row)))
      case "cancel":
        return yield* forOrder(config, action.order, "Cancel the order?", cancelPreview)
      case "release": {
        const held = (yield* (yield* Quarantine).all).find(({ resource }) => resource === action.resource)
        return {
          title: "Release the resource from quarantine?",
          will: [
            "Its order is taken up again where it was, at once. If the bug is still there, it is quarantined again."
          ],
          impossible: held === undefined ? "This resource is not in quarantine." : null,
          weight: "changes"
        } satisfies Preview
      }
      case "remove-leftovers": {
        const steps = yield* leftoversOf(action.order)
        return {
          title: "Remove what is left of the order?",
          will: [
            `What these steps made is removed from the cloud, if it still carries the order's tag: ${steps.join(", ")}.`
          ],
          impossible: steps.length === 0 ? "Nothing is left of this order." : null,
          weight: "removes"
        } satisfies Preview
      }
      case "forget-leftover": {
        const steps = yield* leftoversOf(action.order)
        return {
          title: `Take "${action.step}" off the list?`,
          will: [
            "It is not tried again and not shown any more.",
            "Nothing is touched in the cloud: do this when you have removed it by hand."
          ],
          impossible: steps.includes(action.step) ? null : "This is not on the list of leftovers (any more).",
          weight: "changes"
        } satisfies Preview
      }
      case "reconcile":
        return {
          title: "Look at all resources now?",
          will: [
            "Waldur and the cloud are read once, and what differs is listed.",
            "Where the configuration says `repair`, differences of that kind are put right; else nothing is changed."
          ],
          impossible: null,
          weight: "looks"
        } satisfies Preview
      case "pause": {
        const { offering, paused } = yield* offeringPreview(config, action)
        return {
          title: `Pause ${offering?.name ?? "the offering"}?`,
          will: [
            "New orders stay in Waldur, as they are. Orders that rest between two attempts wait.",
            "Orders in work go on to their end, or to their next failure.",
            "The time does not count against deadlines. It lasts until somebody resumes the offering, also over a restart."
          ],
          impossible:
            offering === undefined
              ? "The configuration has no such offering."
              : paused === undefined
                ? null
                : `${paused.who} has paused it already.`,
          weight: "changes"
        } satisfies Preview
      }
      case "resume": {
        const { offering, paused } = yield* offeringPreview(config, action)
        return {
          title: `Resume ${offering?.name ?? "the offering"}?`,
          will: ["Its orders go on at once, as far as its servers answer."],
          impossible:
            offering === undefined
              ? "The configuration has no such offering."
              : paused === undefined
                ? "It is not paused."
                : null,
          weight: "changes"
        } satisfies Preview
      }
    }
  })
