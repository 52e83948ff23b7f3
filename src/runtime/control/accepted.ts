/** What the journal says of an order that somebody asks about. */
import { SqlClient } from "@effect/sql"
import { Effect, Option, Schema } from "effect"
import { OfferingId, type OrderId, type ResourceId, wholeOrder } from "../../core/index.js"
import { unavailable } from "../database/sql.js"
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

/** The resource of an order that the journal has accepted. */
export const resourceOf = (order: OrderId) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ readonly resource: ResourceId }>`
      SELECT resource_id AS resource FROM known_order WHERE order_id = ${order}`
    return row?.resource
  }).pipe(unavailable)
