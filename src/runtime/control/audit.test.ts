import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger } from "effect"
import { database } from "../../../test/support/postgres.js"
import { Activities } from "../activity.js"
import * as Database from "../journal/database.js"
import * as Pauses from "../journal/pauses.js"
import { audited, auditList, type Deed, settleCutOff } from "./audit.js"

const journal = Layer.unwrapScoped(
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.map(files.makeTempDirectoryScoped({ prefix: "site-actors-audit-" }), (folder) =>
      Layer.provideMerge(Pauses.layer("one"), Database.layer(folder))
    )
  )
).pipe(Layer.provideMerge(NodeContext.layer), Layer.provideMerge(Activities.layer))

const deed: Deed = { who: "anna", role: "operator", by: "token", kind: "retry", subject: "1".repeat(32), detail: "" }

describe("what is done by hand", () => {
  it.scoped("is in the log with who did it, and by which way where that says more", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const log = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => lines.push(String(message)))
      )
      for (const who of ["anna", "command line"])
        yield* audited(
          { ...deed, who, by: who === "anna" ? "token" : "command line", kind: "log-level", subject: "debug" },
          Effect.succeed({ ok: true, outcome: "" })
        ).pipe(Effect.provide(log))
      expect(lines).toEqual(["By anna (token): log-level debug", "By command line: log-level debug"])
    }).pipe(Effect.provide(journal))
  )
})

describe("what is done by hand and cut off by the agent's end", () => {
  it.scoped("is written down as not done, with what to do", () =>
    Effect.gen(function* () {
      for (const by of ["token", "command line"] as const) {
        const begun = yield* Deferred.make<void>()
        const work = Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
        const fiber = yield* Effect.fork(audited({ ...deed, by }, work))
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
      }
      const { rows } = yield* auditList({})
      expect(rows.map(({ ok, outcome }) => [ok, outcome])).toEqual([
        [false, "The agent ended before it was over: its next start does it again."],
        [false, "The agent ended before it was over. Look at what it is about, and ask again if it was not done."]
      ])
    }).pipe(Effect.provide(journal))
  )

  it.scoped("is written down so by the next start, where the process was killed", () =>
    Effect.gen(function* () {
      yield* audited({ ...deed, kind: "pause" }, Effect.succeed({ ok: true, outcome: "Paused." }))
      const begun = yield* Deferred.make<void>()
      const killed = audited(
        { ...deed, kind: "cancel" },
        Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
      )
      yield* Effect.forkDaemon(killed)
      yield* Deferred.await(begun)
      yield* settleCutOff(false)
      const { rows } = yield* auditList({})
      expect(rows.slice(0, 2).map(({ kind, ok, outcome }) => [kind, ok, outcome])).toEqual([
        ["cancel", false, expect.stringMatching(/^The agent ended before it was over\. Look/)],
        ["pause", true, "Paused."]
      ])
    }).pipe(Effect.provide(journal))
  )

  it.scopedLive(
    "is not written down so where one of several may be at it still: only what is of a process that lives no more, or was begun before any that live",
    () =>
      Effect.gen(function* () {
        // Several processes are at a PostgreSQL alone.
        const { place } = yield* database(2)
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          const at = (moment: number, owner: string | null) =>
            sql`INSERT INTO audit (at, owner, who, role, by_way, kind, subject, detail, ok, outcome)
          VALUES (${moment}, ${owner}, 'anna', 'operator', 'token', 'cancel', '', '', NULL, '')`
          // Of an earlier version nobody knows whose it is.
          for (const moment of [100, 300]) yield* at(moment, null)
          for (const [owner, moment] of [
            ["lives", 301],
            ["was killed", 302],
            ["was started anew", 303]
          ] as const)
            yield* at(moment, owner)
          for (const [owner, started] of [
            ["lives", 200],
            ["was started anew", 400]
          ] as const)
            yield* sql`INSERT INTO agent (owner, started, seen) VALUES (${owner}, ${started}, 500)`
          yield* settleCutOff(true)
          expect((yield* auditList({})).rows.map(({ at, ok }) => [at, ok])).toEqual([
            [303, false],
            [302, false],
            [301, null],
            [300, null],
            [100, false]
          ])
        }).pipe(Effect.provide(Database.layer(place)))
      }).pipe(Effect.provide(Layer.merge(NodeContext.layer, Activities.layer)))
  )
})
