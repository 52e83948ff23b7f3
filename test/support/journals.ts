/** Journals in databases of their own, and what stands in them: for tests of how they are kept. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import type { SqlClient } from "@effect/sql"
import { Effect, Layer } from "effect"
import { OrderId, ResourceId, wholeOrder } from "../../src/core/index.js"
import type { Place } from "../../src/runtime/database/place.js"
import * as Database from "../../src/runtime/journal/database.js"
import * as JournalLayer from "../../src/runtime/journal/journal.js"
import { Journal } from "../../src/runtime/journal/journal.js"
import * as ReservationsLayer from "../../src/runtime/journal/reservations.js"

export const inDirectory = <A, E>(use: (directory: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-care-"))),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

export const opened = <A, E>(place: Place, use: Effect.Effect<A, E, Journal | SqlClient.SqlClient>) =>
  use.pipe(
    Effect.provide(JournalLayer.layer.pipe(Layer.provideMerge(Database.layer(place)), Layer.provide(NodeContext.layer)))
  )

/** A process of its own, as far as a PostgreSQL can tell: with its own connections. */
export const openProcess = (place: Place) =>
  Layer.build(
    Layer.mergeAll(JournalLayer.layer, ReservationsLayer.layer).pipe(
      Layer.provideMerge(Database.layer(place)),
      Layer.provide(NodeContext.layer)
    )
  )

export const processes = (place: Place, count: number) =>
  Effect.all(
    Array.from({ length: count }, () => openProcess(place)),
    { concurrency: "unbounded" }
  )

export const order = (n: number) => OrderId.make(String(n).padStart(32, "a"))
export const resource = (n: number) => ResourceId.make(String(n).padStart(32, "b"))

/** An order of a resource from its acceptance to its end (if it has one), as of now. */
export const lived = (n: number, of: ResourceId, type: string, end?: "done" | "erred") =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const entries = yield* journal.order(order(n), yield* journal.lease(of, "test"))
    yield* entries.append(wholeOrder, "accepted", { offering: "f".repeat(32), request: { _tag: type } })
    yield* entries.append("group", "finished", { id: n })
    if (end !== undefined) yield* entries.append(wholeOrder, end)
  })
