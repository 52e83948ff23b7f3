import { Reactivity } from "@effect/experimental"
import { SqlClient, type SqlConnection, SqlError, Statement } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Fiber, Layer, Logger, TestClock } from "effect"
import { PostgresSays } from "../database/postgres.js"
import { asking, withOnlyConnection } from "../database/sql.js"
import { Metrics } from "../metrics/index.js"
import { JournalHealth } from "./health.js"

/** A database that refuses what the test says, what has been logged, and how often it was looked whether it is there again. */
const setting = Effect.gen(function* () {
  const said: Array<string> = []
  let refuses: (text: string) => boolean = () => false
  let cause: Error = new Error("no room")
  let looks = 0
  const none = Effect.dieMessage("not asked for here")
  const connection: SqlConnection.Connection = {
    execute: (text) =>
      Effect.suspend(() => {
        if (text.startsWith("UPDATE agent")) looks += 1
        return refuses(text) ? new SqlError.SqlError({ cause }) : Effect.succeed([])
      }),
    executeUnprepared: () => none,
    executeRaw: () => none,
    executeValues: () => none,
    executeStream: () => Effect.runSync(none)
  }
  const sql = withOnlyConnection(
    yield* SqlClient.make({
      acquirer: Effect.succeed(connection),
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: []
    }).pipe(Effect.provide(Reactivity.layer)),
    connection
  )
  const log = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => said.push(Array.ensure(message).join(" ")))
  )
  const services = yield* Layer.build(
    JournalHealth.layer("me").pipe(
      Layer.provideMerge(Layer.merge(Layer.succeed(SqlClient.SqlClient, sql), Metrics.layer)),
      Layer.provideMerge(log)
    )
  )
  return {
    health: yield* Effect.provide(JournalHealth, services),
    write: Effect.either(asking(sql)(sql`INSERT INTO journal DEFAULT VALUES`)),
    said,
    looks: () => looks,
    refuses: (which: (text: string) => boolean, why = cause) => {
      refuses = which
      cause = why
    }
  }
})

describe("a journal that cannot be written", () => {
  it.scoped("is looked at by one, said once, and waited for by all", () =>
    Effect.gen(function* () {
      const { health, looks, refuses, said, write } = yield* setting
      refuses(() => true)
      yield* Effect.all(Array.makeBy(50, () => write))
      const waiting = yield* Effect.fork(
        Effect.all(
          Array.makeBy(50, () => health.passed),
          { concurrency: "unbounded" }
        )
      )
      yield* TestClock.adjust("20 seconds")
      expect(yield* health.away).toEqual({ reason: "no room", since: 0 })
      expect(said).toEqual(["The journal cannot be written: no room. Orders wait, and go on when it can"])
      expect(looks()).toBeGreaterThan(8)
      expect(looks()).toBeLessThan(20)
      expect(yield* Fiber.poll(waiting)).toMatchObject({ _tag: "None" })
      refuses(() => false)
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(waiting)
      expect(yield* health.away).toBeUndefined()
      expect(said[1]).toMatch(/^The journal can be written again, after 2[0-3]s$/)
      expect(said.length).toBe(2)
    })
  )

  it.scoped("is none, where a statement alone is refused: nobody waits", () =>
    Effect.gen(function* () {
      const { health, looks, refuses, said, write } = yield* setting
      refuses((text) => text.startsWith("INSERT"))
      yield* write
      yield* health.passed
      expect({ looks: looks(), said, away: yield* health.away }).toEqual({ looks: 1, said: [], away: undefined })
    })
  )

  it.scoped("of a PostgreSQL that lets the agent in no more is said with what to do", () =>
    Effect.gen(function* () {
      const { refuses, said, write } = yield* setting
      const message = 'password authentication failed for user "agent"'
      refuses(() => true, new PostgresSays({ message, code: "28P01" }))
      yield* write
      yield* TestClock.adjust("1 second")
      expect(said[0]).toContain(
        `${message}. Orders wait, and go on when it can. Check user and password in \`database\``
      )
    })
  )

  it.scoped("is one of a PostgreSQL whose disk is full, though a row of it can still be changed", () =>
    Effect.gen(function* () {
      const { health, refuses, said, write } = yield* setting
      const message = "could not extend file: No space left on device"
      refuses((text) => !text.startsWith("UPDATE"), new PostgresSays({ message, code: "53100" }))
      yield* write
      yield* TestClock.adjust("20 seconds")
      expect(yield* health.away).toEqual({ reason: message, since: 0 })
      expect(said).toEqual([
        `The journal cannot be written: ${message}. Orders wait, and go on when it can. The server has no room left: see its log.`
      ])
      refuses(() => false)
      yield* TestClock.adjust("3 seconds")
      expect(yield* health.away).toBeUndefined()
    })
  )
})
