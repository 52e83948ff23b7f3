import { ClusterError, Runner, RunnerAddress, RunnerHealth, RunnerStorage, Runners } from "@effect/cluster"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Array, Context, Duration, Effect, Layer, Logger, TestClock } from "effect"
import { database } from "../../../test/support/postgres.js"
import * as Database from "../journal/database.js"
import { leftOut, reach } from "./reach.js"
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
        Layer.provideMerge(reach(settings), Layer.merge(Storage.layer(settings, `process at ${port}`), runners))
      )
      const address = RunnerAddress.make(settings.host, port)
      const storage = Context.get(built, RunnerStorage.RunnerStorage)
      yield* storage.register(Runner.make({ address, groups: ["default"], weight: 1 }), true)
      const { isAlive } = Context.get(built, RunnerHealth.RunnerHealth)
      return { address, isAlive, lives: storage.refresh(address, []) }
    }).pipe(
      Effect.provideService(SqlClient.SqlClient, sql),
      Effect.provide(
        Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => said.push(Array.ensure(message).join(" ")))
        )
      )
    )
  return { refused, said, start, walls }
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
      walls.clear()
      yield* until(Effect.map(both, (alive) => !alive.includes(false)))
      yield* until(Effect.sync(() => said.some((text) => text.includes("reach each other again"))))
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
})
