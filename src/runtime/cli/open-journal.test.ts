import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Option, TestClock } from "effect"
import { settle, waiting } from "../control/requests.js"
import * as Database from "../journal/database.js"
import { request } from "./open-journal.js"

const journal = Layer.unwrapScoped(
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.map(files.makeTempDirectoryScoped({ prefix: "site-actors-ask-" }), (folder) => Database.layer(folder))
  )
).pipe(Layer.provideMerge(NodeContext.layer))

const signOfLife = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`DELETE FROM agent`
  yield* sql`INSERT INTO agent (owner, started, seen) VALUES ('one', 0, ${yield* Clock.currentTimeMillis})`
})

/** The time passes in steps, in which the database answers. */
const pass = (seconds: number) =>
  Effect.repeatN(
    Effect.zipRight(
      TestClock.adjust("500 millis"),
      Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))
    ),
    seconds * 2
  )

describe("what is asked of the agent", () => {
  it.scoped("is not waited for when the agent has ended: the next one does it", () =>
    Effect.gen(function* () {
      yield* signOfLife
      const asked = yield* Effect.fork(Effect.flip(request("look", "", "3 minutes", true)))
      yield* pass(60)
      expect(Option.isSome(yield* Fiber.poll(asked))).toBe(true)
      expect((yield* Fiber.join(asked)).message).toBe(
        "The agent has ended before it answered. What was asked for stands in its journal, and is done when it starts again."
      )
      expect((yield* waiting).map(({ kind }) => kind)).toEqual(["look"])
    }).pipe(Effect.provide(journal))
  )

  it.scoped("is said to be waited for at once, where no bar says it", () =>
    Effect.gen(function* () {
      yield* signOfLife
      yield* TestClock.adjust("12 seconds")
      const said: Array<unknown> = []
      const own = yield* Effect.console
      const console = {
        ...own,
        error: (...words: ReadonlyArray<unknown>) => Effect.sync(() => void said.push(...words))
      }
      yield* Effect.fork(Effect.withConsole(request("retry", "", "3 minutes"), console))
      yield* pass(1)
      expect(said).toEqual([
        "Asked the agent, whose last sign of life was 12.0 s ago: waits for its answer, 180 seconds at most."
      ])
    }).pipe(Effect.provide(journal))
  )

  it.scoped("is answered by one that was only started anew", () =>
    Effect.gen(function* () {
      yield* signOfLife
      const asked = yield* Effect.fork(request("members", "", "3 minutes", true))
      yield* pass(30)
      yield* signOfLife
      yield* pass(15)
      const mine = (yield* waiting).find(({ kind }) => kind === "members")
      yield* settle(mine?.id ?? 0, { ok: true, outcome: "Done." })
      yield* pass(2)
      expect(Option.isSome(yield* Fiber.poll(asked))).toBe(true)
      yield* Fiber.join(asked)
    }).pipe(Effect.provide(journal))
  )
})
