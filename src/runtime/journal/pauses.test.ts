/** When a PostgreSQL is away, or one of several processes ends: what each says of the time. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Redacted, Scope, TestClock } from "effect"
import { database } from "../../../test/support/postgres.js"
import { tcpProxy } from "../../../test/support/tcp-proxy.js"
import { Postgres } from "../database/place.js"
import { Metrics } from "../metrics/index.js"
import * as Database from "./database.js"
import * as PausesLayer from "./pauses.js"

it.scoped("the time does not stand still once the last process but one has ended that was silent for a while", () =>
  Effect.gen(function* () {
    const { place, query } = yield* database(3)
    const running = (owner: string) =>
      Layer.build(PausesLayer.layer(owner).pipe(Layer.provide(Database.layer(place)), Layer.provide(NodeContext.layer)))
    yield* running("one")
    yield* Effect.scoped(
      Effect.zipRight(
        running("other"),
        // Suspended, as its machine is moved: for all that the other one knows, nobody is left when it ends.
        query("UPDATE agent SET seen = seen - 30000 WHERE owner = 'one'")
      )
    )
    const open = query("SELECT reason FROM pause WHERE until IS NULL")
    expect(yield* open).toEqual([{ reason: "The agent was stopped." }])
    yield* TestClock.adjust("5 seconds")
    yield* Effect.repeat(open, { until: (pauses) => pauses.length === 0 })
  })
)

it.scoped("a PostgreSQL that is away is counted, also while no order is at work", () =>
  Effect.gen(function* () {
    const { place, port } = yield* database(2)
    const way = yield* tcpProxy(port)
    const url = Redacted.make(Redacted.value(place.url).replace(`:${port}/`, `:${way.port}/`))
    const built = yield* Layer.build(
      PausesLayer.layer("one").pipe(
        Layer.provide(Database.layer(new Postgres({ url, connections: 2 }))),
        Layer.provide(NodeContext.layer),
        Layer.provideMerge(Metrics.layer)
      )
    )
    way.set("cut")
    yield* TestClock.adjust("5 seconds")
    const text = Effect.promise(() =>
      Context.get(built, Metrics).text({ offerings: [], leftovers: 0, quarantined: 0, version: "0" })
    )
    yield* Effect.repeat(text, { until: (all) => all.includes("journal_write_failures_total 1") })
  })
)

it.scoped("an end waits two seconds at most for a PostgreSQL that does not answer", () =>
  Effect.gen(function* () {
    const { place, port } = yield* database(2)
    const way = yield* tcpProxy(port)
    const url = Redacted.make(Redacted.value(place.url).replace(`:${port}/`, `:${way.port}/`))
    const sql = yield* Layer.build(
      Layer.provide(Database.layer(new Postgres({ url, connections: 2 })), NodeContext.layer)
    )
    const running = yield* Scope.make()
    yield* Layer.build(Layer.provide(PausesLayer.layer("one"), Layer.succeedContext(sql))).pipe(Scope.extend(running))
    way.set("silent")
    const ending = yield* Effect.fork(Scope.close(running, Exit.void))
    // The driver has ten seconds of real time, in which many more than these go by.
    let seconds = 0
    while (ending.unsafePoll() === null) {
      yield* TestClock.adjust("1 second")
      seconds += 1
    }
    expect(seconds).toBeLessThan(60)
    yield* Fiber.join(ending)
  })
)
