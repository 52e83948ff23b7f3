/** What the journal says of an order that somebody asks about. */
import { Effect, Option, Schema } from "effect"
import { OfferingId, type OrderId, wholeOrder } from "../../core/index.js"
import { Journal } from "../journal/journal.js"

const AcceptedFor = Schema.Struct({ offering: OfferingId })

/** The offering that the order was accepted for. */
export const acceptedOffering = (order: OrderId) =>
  Effect.map(
    Effect.flatMap(Journal, (journal) => journal.story(order)),
    (story) =>
      Option.fromNullable(story.findLast((entry) => entry.step === wholeOrder && entry.event === "accepted")).pipe(
        Option.flatMap((entry) => Schema.decodeUnknownOption(AcceptedFor)(entry.data)),
        Option.map((accepted) => accepted.offering),
        Option.getOrUndefined
      )
  )
