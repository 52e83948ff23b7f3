import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { database } from "../../../test/support/postgres.js"
import { OrderId, ResourceId, wholeOrder } from "../../core/index.js"
import * as Database from "./database.js"
import * as JournalLayer from "./journal.js"
import { Journal } from "./journal.js"

const order = OrderId.make("a".repeat(32))
const resource = ResourceId.make("b".repeat(32))

describe("the journal in PostgreSQL", () => {
  it.scopedLive("works", () =>
    Effect.gen(function* () {
      const { place } = yield* database()
      yield* Effect.gen(function* () {
        const journal = yield* Journal
        const entries = yield* journal.order(order, yield* journal.lease(resource, "first"))
        yield* entries.append(wholeOrder, "accepted", { offering: "f".repeat(32) })
        expect(yield* journal.openOrders).toEqual([{ order, resource, offering: "f".repeat(32) }])
      }).pipe(
        Effect.provide(Layer.provide(JournalLayer.layer, Database.layer(place))),
        Effect.provide(NodeContext.layer)
      )
    })
  )
})
