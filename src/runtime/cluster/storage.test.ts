import { Runner, RunnerAddress, RunnerStorage, ShardId } from "@effect/cluster"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Option, type Scope } from "effect"
import { database } from "../../../test/support/postgres.js"
import * as Database from "../journal/database.js"
import { clusterKey } from "./key.js"
import * as Storage from "./storage.js"

const shards = [1, 2, 3].map((id) => ShardId.make("default", id))
const numbers = (of: ReadonlyArray<ShardId.ShardId>) => of.map(({ id }) => id).toSorted()

/** What a process does before it is in the address book. */
type Before = (
  storage: RunnerStorage.RunnerStorage["Type"],
  address: RunnerAddress.RunnerAddress
) => Effect.Effect<unknown, unknown>

/** A database with the tables of a cluster, and processes over it that live as long as they say that they do. */
const setting = Effect.gen(function* () {
  const { place } = yield* database(2)
  const sql = Context.get(
    yield* Layer.build(Layer.provide(Database.layer(place), NodeContext.layer)),
    SqlClient.SqlClient
  )
  const start = (port: number, takeover = Duration.seconds(60), before: Before = () => Effect.void) =>
    Effect.gen(function* () {
      const settings = { host: "10.0.0.1", port, listen: "10.0.0.1", takeover }
      const built = yield* Layer.build(Storage.layer(settings, `process at ${port}`))
      const storage = Context.get(built, RunnerStorage.RunnerStorage)
      const address = RunnerAddress.make(settings.host, port)
      yield* before(storage, address)
      yield* storage.register(Runner.make({ address, groups: ["default"], weight: 1 }), true)
      return { address, member: Context.get(built, Storage.Member), storage }
    }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
  return { sql, start }
})

/** On real time: the database's clock counts. */
const live = (name: string, test: Effect.Effect<void, unknown, Scope.Scope>) => it.scopedLive(name, () => test)

describe("the address book", () => {
  live(
    "gives each shard to one process, until it has been silent for too long",
    Effect.gen(function* () {
      const { sql, start } = yield* setting
      const one = yield* start(1)
      const other = yield* start(2)
      expect(numbers(yield* one.storage.acquire(one.address, shards))).toEqual([1, 2, 3])
      expect(yield* other.storage.acquire(other.address, shards)).toEqual([])
      expect(yield* one.member.holds("default:1")).toBe(true)
      expect(yield* other.member.holds("default:1")).toBe(false)

      const impatient = yield* start(3, Duration.seconds(50))
      // It takes a minute until all of it is heard of but one.
      yield* sql`UPDATE cluster_lock SET at = at - 59000`
      yield* one.storage.refresh(one.address, [ShardId.make("default", 3)])
      expect(numbers(yield* impatient.storage.acquire(impatient.address, shards))).toEqual([1, 2])
      expect(numbers(yield* one.storage.refresh(one.address, shards))).toEqual([3])
      expect(yield* one.member.holds("default:1")).toBe(false)
    })
  )

  live(
    "takes nobody for alive because a clock was ahead that is not the database's any more",
    Effect.gen(function* () {
      const { sql, start } = yield* setting
      const dead = yield* start(1)
      yield* dead.storage.acquire(dead.address, shards)
      const other = yield* start(2)
      // What a primary has noted whose standby, ten minutes behind, has taken over; and then a minute passes, but for its last sign of life.
      yield* sql`UPDATE cluster_lock SET at = at + 600000`
      yield* sql`UPDATE cluster_runner SET seen = seen + 600000`
      yield* other.storage.refresh(other.address, [])
      expect(yield* dead.member.holds("default:1")).toBe(true)
      yield* sql`UPDATE cluster_lock SET at = at - 61000`
      yield* sql`UPDATE cluster_runner SET seen = seen - 61000`
      yield* other.storage.refresh(other.address, [])
      expect((yield* other.storage.getRunners).map(([{ address }]) => address.port)).toEqual([2])
      expect(numbers(yield* other.storage.acquire(other.address, shards))).toEqual([1, 2, 3])
    })
  )

  live(
    "gives what a process had to its next start at once, and tells the earlier one that it has to end",
    Effect.gen(function* () {
      const { start } = yield* setting
      const earlier = yield* start(1)
      yield* earlier.storage.acquire(earlier.address, shards)
      const later = yield* start(1)
      expect(numbers(yield* later.storage.acquire(later.address, shards))).toEqual([1, 2, 3])

      expect(yield* earlier.storage.refresh(earlier.address, shards)).toEqual([])
      const error = yield* Effect.flip(earlier.member.superseded)
      expect(error.message).toContain("10.0.0.1:1")
      expect(error.message).toContain("cluster.port of its own")
      // It takes nothing back.
      yield* Effect.timeoutOption(
        earlier.storage.register(Runner.make({ address: earlier.address, groups: ["default"], weight: 1 }), true),
        "50 millis"
      )
      expect(numbers(yield* later.storage.refresh(later.address, shards))).toEqual([1, 2, 3])
    })
  )

  live(
    "does not take who was killed at its address for a later start, while it is not in the book itself",
    Effect.gen(function* () {
      const { start } = yield* setting
      const killed = yield* start(1)
      yield* killed.storage.acquire(killed.address, shards)
      const next = yield* start(1, undefined, (storage, address) => storage.refresh(address, []))
      expect(yield* Effect.timeoutOption(next.member.superseded, "50 millis")).toEqual(Option.none())
      expect(numbers(yield* next.storage.acquire(next.address, shards))).toEqual([1, 2, 3])
    })
  )

  live(
    "lists who lives, and has one key for all",
    Effect.gen(function* () {
      const { sql, start } = yield* setting
      const one = yield* start(1)
      const other = yield* start(2)
      const ports = Effect.map(one.storage.getRunners, (all) => all.map(([{ address }]) => address.port).toSorted())
      expect(yield* ports).toEqual([1, 2])
      yield* other.storage.unregister(other.address)
      expect(yield* ports).toEqual([1])
      const key = Effect.provideService(clusterKey, SqlClient.SqlClient, sql)
      const [first, second] = yield* Effect.all([key, key], { concurrency: 2 })
      expect(first).toEqual(second)
    })
  )
})
