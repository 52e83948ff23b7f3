import { ClusterError, Runner, RunnerAddress, RunnerHealth, RunnerStorage, Runners } from "@effect/cluster"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Array, Context, Duration, Effect, Layer, Logger, Ref, TestClock } from "effect"
import { database } from "../../../test/support/postgres.js"
import * as Database from "../journal/database.js"
import { cutOffs, type Present } from "../journal/present.js"
import { leftOut, Reached, reach } from "./reach.js"
import * as Storage from "./storage.js"

/** `1: [2]`: 1 does not reach 2. They came in the order of their numbers. */
const out = (unreached: Readonly<Record<number, ReadonlyArray<number> | null>>) =>
  [
    ...leftOut(
      Object.entries(unreached).map(([name, ones]) => ({
        address: name,
        machine: Number(name),
        unreached: ones?.map(String) ?? null
      }))
    )
  ].map(Number)

describe("where processes do not reach each other, those have no resources", () => {
  it.each([
    ["nobody, where all reach all", { 1: [], 2: [], 3: null }, []],
    ["who is not reached", { 1: [], 2: [1] }, [1]],
    ["who is reached by none, and reaches all", { 1: [2], 2: [], 3: [2] }, [2]],
    ["who reaches none, and is reached by all", { 1: [2, 3], 2: [], 3: [] }, [1]],
    ["who came later, of two that do not reach each other", { 1: [], 2: [3], 3: [2] }, [3]],
    ["all but one, where nobody reaches anybody", { 1: [2, 3], 2: [1, 3], 3: [1, 2] }, [3, 2]],
    ["nobody for who is not there any more", { 1: [4], 2: [4] }, []]
  ] as const)("%s", (_, unreached, expected) => expect(out(unreached)).toEqual(expected))
})

describe("of two processes that do not reach each other", () => {
  const runner = (machine: number, unreached: Readonly<Record<number, number>>, healthy = 1): Present => ({
    address: `10.0.0.${machine}:34431`,
    owner: `node-${machine}:7`,
    machine,
    healthy,
    seen: 0,
    unreached: Object.keys(unreached).map((to) => `10.0.0.${to}:34431`),
    since: Object.fromEntries(Object.entries(unreached).map(([to, at]) => [`10.0.0.${to}:34431`, at]))
  })
  it("it is told once who does not reach whom, since when, and whose resources others have", () => {
    expect(cutOffs([runner(1, {}), runner(2, {})])).toEqual([])
    expect(cutOffs([runner(1, { 2: 500 }), runner(2, { 1: 400 }, 0), runner(3, { 1: 600, 4: 1 })])).toEqual([
      {
        from: "node-1:7 at 10.0.0.1:34431",
        to: "node-2:7 at 10.0.0.2:34431",
        both: true,
        since: 400,
        sentence:
          "node-1:7 at 10.0.0.1:34431 and node-2:7 at 10.0.0.2:34431 do not reach each other, though both reach the database. Others have the resources of node-2:7 meanwhile."
      },
      {
        from: "node-3:7 at 10.0.0.3:34431",
        to: "node-1:7 at 10.0.0.1:34431",
        both: false,
        since: 600,
        sentence:
          "node-3:7 at 10.0.0.3:34431 does not reach node-1:7 at 10.0.0.1:34431, though both reach the database."
      }
    ])
  })
  it("an earlier version does not say since when", () => {
    expect(cutOffs([runner(1, {}), { ...runner(2, { 1: 1 }), since: null }])[0]?.since).toBeUndefined()
  })
})

/** Processes over one database. Nobody reaches who is behind a wall. */
const setting = Effect.gen(function* () {
  const { place } = yield* database(4)
  const sql = Context.get(
    yield* Layer.build(Layer.provide(Database.layer(place), NodeContext.layer)),
    SqlClient.SqlClient
  )
  const walls = new Set<number>()
  const said: Array<string> = []
  const refused: Array<number> = []
  const runners = Layer.mock(Runners.Runners, {
    ping: (address) =>
      Effect.suspend(() => {
        if (!walls.has(address.port)) return Effect.void
        refused.push(address.port)
        return new ClusterError.RunnerUnavailable({ address })
      })
  })
  const start = (port: number) =>
    Effect.gen(function* () {
      const settings = { host: "10.0.0.1", port, listen: "10.0.0.1", takeover: Duration.hours(1) }
      const built = yield* Layer.build(
        Layer.provideMerge(
          reach(settings),
          Layer.mergeAll(Storage.layer(settings, `process at ${port}`), runners, Reached.layer)
        )
      )
      const address = RunnerAddress.make(settings.host, port)
      const storage = Context.get(built, RunnerStorage.RunnerStorage)
      yield* storage.register(Runner.make({ address, groups: ["default"], weight: 1 }), true)
      const { isAlive } = Context.get(built, RunnerHealth.RunnerHealth)
      const reached = Ref.get(Context.get(built, Reached))
      return { address, isAlive, reached, lives: storage.refresh(address, []), lifeless: storage.setRunnerHealth }
    }).pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.provide(
        Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => said.push(Array.ensure(message).join(" ")))
        )
      )
    )
  return { refused, said, sql, start, walls }
})

describe("who asks all others whether they answer", () => {
  it.scoped("notes whom it does not reach, and says so: others have its resources until it is reached", () =>
    Effect.gen(function* () {
      const { said, start, walls } = yield* setting
      const [one, other] = [yield* start(1), yield* start(2)]
      const until = (isIt: Effect.Effect<boolean, unknown>) =>
        Effect.all([
          one.lives,
          other.lives,
          TestClock.adjust("3 seconds"),
          Effect.promise(() => new Promise(setImmediate))
        ]).pipe(Effect.zipRight(isIt), Effect.repeat({ until: (is) => is }))
      const both = Effect.all([one.isAlive(other.address), other.isAlive(other.address)])
      expect(yield* both).toEqual([true, true])
      walls.add(2)
      yield* until(Effect.map(both, (alive) => !alive.includes(true)))
      expect(yield* other.isAlive(one.address)).toBe(true)
      yield* until(Effect.sync(() => said.some((text) => text.includes("10.0.0.1:2 is not reached from here"))))
      yield* one.lifeless(other.address, false)
      yield* until(Effect.map(other.reached, ({ leftOut }) => leftOut))
      const found = { from: "process at 1 at 10.0.0.1:1", to: "process at 2 at 10.0.0.1:2", both: false }
      const { cutOffs, ...rest } = yield* other.reached
      expect(rest).toEqual({ leftOut: true, unreached: 1 })
      expect(cutOffs).toMatchObject([{ ...found, since: expect.any(Number) }])
      expect(cutOffs[0]?.sentence).toMatch(
        /^process at 1 .* does not reach .* the resources of process at 2 meanwhile\.$/
      )
      // The one that reaches it sees the same of both.
      yield* until(Effect.map(one.reached, (seen) => seen.unreached === 1))
      expect((yield* one.reached).leftOut).toBe(false)
      walls.clear()
      yield* until(Effect.map(both, (alive) => !alive.includes(false)))
      yield* until(Effect.map(other.reached, ({ cutOffs }) => cutOffs.length === 0))
      yield* until(Effect.sync(() => said.some((text) => text.includes("reach each other again"))))
    })
  )

  it.scoped("finds so also while the database's clock is behind what it was when they were last heard of", () =>
    Effect.gen(function* () {
      const { refused, sql, start, walls } = yield* setting
      const [one, other] = [yield* start(1), yield* start(2)]
      walls.add(2)
      yield* sql`UPDATE cluster_runner SET seen = seen + 1800000`
      yield* Effect.all([TestClock.adjust("3 seconds"), Effect.promise(() => new Promise(setImmediate))]).pipe(
        Effect.repeat({ until: () => refused.length > 0 })
      )
      // It is half an hour earlier now, and they go on giving signs of life.
      yield* Effect.all([
        one.lives,
        other.lives,
        TestClock.adjust("3 seconds"),
        Effect.promise(() => new Promise(setImmediate))
      ]).pipe(Effect.zipRight(one.isAlive(other.address)), Effect.repeat({ until: (alive) => !alive }))
    })
  )

  it.scoped(
    "knows nothing of others any more when it has not reached the database for as long as they may be silent",
    () =>
      Effect.gen(function* () {
        const { sql, start, walls } = yield* setting
        const [one, other] = [yield* start(1), yield* start(2)]
        const until = (isIt: Effect.Effect<boolean, unknown>) =>
          Effect.zipRight(
            Effect.promise(() => new Promise(setImmediate)),
            isIt
          ).pipe(Effect.repeat({ until: (is) => is }))
        const found = Effect.map(one.reached, ({ cutOffs, unreached }) => cutOffs.length === 1 && unreached === 1)
        walls.add(2)
        yield* until(Effect.zipRight(Effect.all([one.lives, other.lives, TestClock.adjust("3 seconds")]), found))
        yield* sql`ALTER TABLE cluster_runner RENAME TO cluster_runner_away`
        yield* TestClock.adjust("59 minutes")
        yield* until(found)
        yield* TestClock.adjust("2 minutes")
        yield* until(Effect.map(one.reached, ({ cutOffs, unreached }) => cutOffs.length === 0 && unreached === 0))
      })
  )

  it.scoped("takes no part in whether who is dead has its resources", () =>
    Effect.gen(function* () {
      const { refused, said, start, walls } = yield* setting
      const [one, dead] = [yield* start(1), yield* start(2)]
      walls.add(2)
      yield* Effect.all([one.lives, TestClock.adjust("3 seconds")]).pipe(
        Effect.repeat({ until: () => refused.length > 6 })
      )
      expect(yield* one.isAlive(dead.address)).toBe(true)
      expect(said).toEqual([])
    })
  )

  it.scoped("reads the address book once for all that it is asked about in a moment", () =>
    Effect.gen(function* () {
      const { sql, start } = yield* setting
      const [one, other] = [yield* start(1), yield* start(2)]
      yield* Effect.all([one.lives, other.lives])
      expect(yield* one.isAlive(one.address)).toBe(true)
      yield* sql`UPDATE cluster_runner SET unreached = ${JSON.stringify(["10.0.0.1:2"])} WHERE address = '10.0.0.1:1'`
      expect(yield* one.isAlive(other.address)).toBe(true)
      yield* TestClock.adjust("1 second")
      expect(yield* one.isAlive(other.address)).toBe(false)
    })
  )
})
