import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer } from "effect"
import Libsql from "libsql"
import { databases, within } from "../../../test/support/databases.js"
import { OrderId, Reservations, ResourceId, wholeOrder } from "../../core/index.js"
import type { Place } from "../database/place.js"
import * as Database from "./database.js"
import * as JournalLayer from "./journal.js"
import { Journal } from "./journal.js"
import * as ReservationsLayer from "./reservations.js"

const order = OrderId.make("a".repeat(32))
const resource = ResourceId.make("b".repeat(32))
const other = ResourceId.make("c".repeat(32))

/** A directory of its own, gone after the test; `use` may open the database in it several times, as restarts do. */
const inDirectory = <A, E>(use: (directory: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "site-actors-journal-"))),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

const opened = <A, E>(place: Place, use: Effect.Effect<A, E, Journal | Reservations>) =>
  use.pipe(
    Effect.provide(
      Layer.mergeAll(JournalLayer.layer, ReservationsLayer.layer).pipe(
        Layer.provide(Database.layer(place)),
        Layer.provide(NodeContext.layer)
      )
    )
  )

/** In a database that nothing has been written to. */
const inNew = <A, E>(fresh: Parameters<typeof within>[0], use: Effect.Effect<A, E, Journal | Reservations>) =>
  within(fresh, (place) => opened(place, use))

describe.each(databases)("the journal in %s", (_, fresh) => {
  it.effect("gives a restart what was written before it", () =>
    within(fresh, (place) =>
      Effect.gen(function* () {
        yield* opened(
          place,
          Effect.gen(function* () {
            const journal = yield* Journal
            const entries = yield* journal.order(order, yield* journal.lease(resource, "first"))
            yield* entries.append(wholeOrder, "accepted", { offering: "f".repeat(32) })
            yield* entries.append("group", "finished", { id: 100, name: 'a "b"\n' })
          })
        )
        yield* opened(
          place,
          Effect.gen(function* () {
            const journal = yield* Journal
            const entries = yield* (yield* journal.order(order, yield* journal.lease(resource, "second"))).entries
            expect(entries.map((entry) => [entry.step, entry.event, entry.data])).toEqual([
              ["order", "accepted", { offering: "f".repeat(32) }],
              ["group", "finished", { id: 100, name: 'a "b"\n' }]
            ])
            expect(yield* journal.openOrders).toEqual([{ order, resource, offering: "f".repeat(32) }])
          })
        )
      })
    )
  )

  it.effect("refuses every write of an actor whose lease has passed on", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const journal = yield* Journal
        const lease = yield* journal.lease(resource, "paused")
        const late = yield* journal.order(order, lease)
        yield* late.append("group", "started")
        expect(yield* journal.holds(lease)).toBe(true)
        const now = yield* journal.order(order, yield* journal.lease(resource, "awake"))
        expect((yield* Effect.flip(late.append("group", "finished")))._tag).toBe("LeaseLost")
        expect(yield* journal.holds(lease)).toBe(false)
        yield* now.append("group", "finished", 1)
        expect((yield* journal.story(order)).map((entry) => entry.event)).toEqual(["started", "finished"])
      })
    )
  )

  it.effect(
    "accepts no order behind what has been done of it meanwhile: a statement that was given up may come late",
    () =>
      inNew(
        fresh,
        Effect.gen(function* () {
          const journal = yield* Journal
          const lease = yield* journal.lease(resource, "one")
          const [givenUp, again] = [yield* journal.order(order, lease), yield* journal.order(order, lease)]
          const accept = (by: typeof again) => by.append(wholeOrder, "accepted", { offering: "f".repeat(32) })
          const events = Effect.map(journal.order(order, lease), ({ entries }) => entries).pipe(
            Effect.flatten,
            Effect.map((all) => all.map(({ event }) => event))
          )
          yield* accept(again)
          yield* again.append("group", "started")
          expect((yield* Effect.flip(accept(givenUp)))._tag).toBe("LeaseLost")
          expect(yield* events).toEqual(["accepted", "started"])
          yield* again.append(wholeOrder, "erred")
          expect((yield* Effect.flip(accept(givenUp)))._tag).toBe("LeaseLost")
          yield* accept(again)
          expect(yield* events).toEqual(["accepted"])
        })
      )
  )

  it.effect("writes what was noted with what comes next, in its order, and by itself if nothing does", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const journal = yield* Journal
        const entries = yield* journal.order(order, yield* journal.lease(resource, "one"))
        yield* entries.append("group", "started")
        yield* entries.note("group", "finished", { id: 100 })
        yield* entries.append("network", "started")
        const told = () =>
          Effect.map(journal.story(order), (all) => all.map(({ data, event, step }) => [step, event, data]))
        const written = [
          ["group", "started", undefined],
          ["group", "finished", { id: 100 }],
          ["network", "started", undefined]
        ]
        expect(yield* told()).toEqual(written)
        yield* entries.note("network", "finished", null)
        expect((yield* entries.entries).length).toBe(4)
        yield* Effect.repeat(told(), { until: (all) => all.length > 3 })
        expect(yield* told()).toEqual([...written, ["network", "finished", null]])
      })
    )
  )

  it.effect("dies of what cannot be stored where it is said", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const journal = yield* Journal
        const entries = yield* journal.order(order, yield* journal.lease(resource, "one"))
        expect(Exit.isFailure(yield* Effect.exit(entries.note("group", "finished", { id: 100n })))).toBe(true)
        expect(yield* entries.entries).toEqual([])
      })
    )
  )

  it.effect("lets nothing rest on what was noted and could not be written", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const journal = yield* Journal
        const late = yield* journal.order(order, yield* journal.lease(resource, "paused"))
        yield* late.append("group", "started")
        yield* journal.lease(resource, "awake")
        yield* late.note("group", "finished", 1)
        expect((yield* Effect.flip(late.append("network", "started")))._tag).toBe("LeaseLost")
        expect((yield* Effect.flip(late.note("network", "finished")))._tag).toBe("LeaseLost")
        expect((yield* journal.story(order)).length).toBe(1)
      })
    )
  )

  it.effect("starts afresh when an erred order is taken up again, and still tells the whole story", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const journal = yield* Journal
        const lease = yield* journal.lease(resource, "one")
        const first = yield* journal.order(order, lease)
        yield* first.append(wholeOrder, "accepted", { offering: "f" })
        yield* first.append("group", "failed")
        yield* first.append(wholeOrder, "erred")
        expect(yield* journal.openOrders).toEqual([])
        yield* first.append(wholeOrder, "accepted", { offering: "f" })
        expect((yield* journal.openOrders).length).toBe(1)
        const again = yield* journal.order(order, lease)
        expect((yield* again.entries).map((entry) => entry.event)).toEqual(["accepted"])
        expect((yield* journal.story(order)).length).toBe(4)
      })
    )
  )

  it.effect("keeps leftovers once each", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* journal.recordLeftovers([{ order, resource, step: "network", reason: "in use" }])
        yield* journal.recordLeftovers([{ order, resource, step: "network", reason: "still in use" }])
        expect(yield* journal.leftovers).toEqual([{ order, resource, step: "network", reason: "still in use" }])
      })
    )
  )
})

describe.each(databases)("reservations in %s", (_, fresh) => {
  const ranges = [0, 1, 2].map((index) => ({ first: index * 256, last: index * 256 + 255 }))

  it.effect("never give overlapping ranges to two resources, also when they ask at once", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const reservations = yield* Reservations
        const resources = Array.from({ length: 4 }, (_, index) => ResourceId.make(String(index).repeat(32)))
        const got = yield* Effect.forEach(resources, (one) => reservations.reserve("pool", one, ranges), {
          concurrency: "unbounded"
        })
        const first = got.flatMap((range) => (range === undefined ? [] : [range.first]))
        expect(first.toSorted((a, b) => a - b)).toEqual([0, 256, 512])
        expect(yield* reservations.reserve("other pool", other, ranges)).toEqual(ranges[0])
      })
    )
  )

  it.effect("are the same when asked for again, and free after release", () =>
    inNew(
      fresh,
      Effect.gen(function* () {
        const reservations = yield* Reservations
        expect(yield* reservations.reserve("pool", resource, ranges)).toEqual(ranges[0])
        expect(yield* reservations.reserve("pool", resource, ranges.slice(1))).toEqual(ranges[0])
        yield* reservations.release("pool", resource)
        expect(yield* reservations.reserve("pool", other, ranges)).toEqual(ranges[0])
      })
    )
  )
})

describe("the journal in a file", () => {
  it.effect("lets nothing rest on what was noted, is on its way, and then cannot be written", () =>
    inDirectory((directory) =>
      opened(
        directory,
        Effect.gen(function* () {
          const journal = yield* Journal
          const entries = yield* journal.order(order, yield* journal.lease(resource, "one"))
          yield* entries.append("subnet", "started")
          const database = new Libsql(join(directory, "journal.db"))
          database.exec(
            "CREATE TRIGGER no_room BEFORE INSERT ON journal WHEN NEW.event = 'finished' BEGIN SELECT RAISE(ABORT, 'no room'); END"
          )
          database.close()
          yield* entries.note("subnet", "finished", 1)
          // Side by side, as the steps that come next: the first one takes along what was noted.
          const begun = yield* Effect.forEach(["network", "group"], (step) =>
            Effect.fork(Effect.exit(entries.append(step, "started")))
          )
          expect((yield* Effect.forEach(begun, Fiber.join)).map(Exit.isFailure)).toEqual([true, true])
          expect((yield* journal.story(order)).map(({ step }) => step)).toEqual(["subnet"])
        })
      )
    )
  )

  it.effect("is readable by its owner only", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        chmodSync(directory, 0o755)
        yield* opened(
          directory,
          Effect.flatMap(Journal, (journal) => journal.lease(resource, "one"))
        )
        const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
        expect(mode(directory)).toBe("700")
        expect(mode(join(directory, "journal.db"))).toBe("600")
      })
    )
  )

  it.effect("says of a damaged file what to do", () =>
    inDirectory((directory) =>
      Effect.gen(function* () {
        writeFileSync(
          join(directory, "journal.db"),
          "this is no database, but it is long enough to be read as one".repeat(100)
        )
        const error = yield* Effect.flip(opened(directory, Journal))
        expect(error.message).toContain("It is damaged: stop the agent, keep the file, and put back the last backup.")
      })
    )
  )
})
