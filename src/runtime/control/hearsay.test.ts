/** What is said in one process is heard in another, over a database that both have. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { OfferingId, OrderId } from "../../core/index.js"
import * as Database from "../journal/database.js"
import { Offerings } from "../offerings/offering.js"
import { Pausings } from "../offerings/pausings.js"
import { type Cancellation, Cancellations } from "../orders/cancellations.js"

const order = OrderId.make("a".repeat(32))
const offering = OfferingId.make("b".repeat(32))

/** Two processes. */
const both = Effect.gen(function* () {
  const dataDir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "site-actors-hearsay-" })
  const database = yield* Layer.build(Database.layer(dataDir))
  const process = Layer.build(
    Layer.fresh(Layer.mergeAll(Cancellations.layer, Layer.provide(Pausings.layer, Offerings.layer)))
  ).pipe(Effect.provide(database))
  return [yield* process, yield* process] as const
})

describe("one of several processes", () => {
  it.scoped("hears that an order shall end, also while its actor waits for just that", () =>
    Effect.gen(function* () {
      const [one, other] = yield* both
      const here = Context.get(one, Cancellations)
      const there = Context.get(other, Cancellations)
      const heard: Array<Cancellation> = []
      there.wanted(order, 0, (cancellation) => heard.push(cancellation))
      yield* here.cancel(order, "somebody", "not needed", 0)
      expect(yield* there.of(order, 0)).toBeUndefined()
      yield* there.refresh
      expect(heard).toMatchObject([{ who: "somebody", reason: "not needed" }])
      expect(yield* there.of(order, 0)).toMatchObject({ who: "somebody" })
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("ends an order that a process whose clock is ahead has accepted", () =>
    Effect.gen(function* () {
      const [one] = yield* both
      const here = Context.get(one, Cancellations)
      const accepted = 7 * 60_000
      yield* here.cancel(order, "somebody", "", accepted)
      expect(yield* here.of(order, accepted)).toMatchObject({ who: "somebody" })
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scoped("hears that an offering is paused, and that it is not any more", () =>
    Effect.gen(function* () {
      const [one, other] = yield* both
      const here = Context.get(one, Pausings)
      const there = Context.get(other, Pausings)
      yield* here.pause(offering, "somebody", "maintenance")
      yield* there.refresh
      expect((yield* there.all).get(offering)).toMatchObject({ who: "somebody", reason: "maintenance" })
      yield* here.resume(offering)
      yield* there.refresh
      expect((yield* there.all).size).toBe(0)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
