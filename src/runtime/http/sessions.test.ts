import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, it } from "@effect/vitest"
import { Duration, Effect, Option, Redacted, TestClock } from "effect"
import { describe } from "vitest"
import { Sessions } from "./sessions.js"
import { rotateToken } from "./tokens.js"

const withSessions = (test: (dataDir: string) => Effect.Effect<void, unknown, Sessions | NodeContext.NodeContext>) =>
  Effect.gen(function* () {
    const dataDir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "site-actors-sessions-" })
    yield* Effect.provide(test(dataDir), Sessions.layer(dataDir, Duration.hours(12)))
  }).pipe(Effect.provide(NodeContext.layer), Effect.scoped)

const wrong = Redacted.make("wrong")

describe("a session", () => {
  it.effect("is found by its secret until it ends, by itself or by hand", () =>
    withSessions((dataDir) =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const token = yield* rotateToken(dataDir, "operator")
        const answer = yield* sessions.signIn(token, "10.0.0.1")
        if (answer._tag !== "SignedIn") return expect.unreachable()
        expect(yield* sessions.find(answer.secret)).toMatchObject({ value: { role: "operator" } })
        expect(yield* sessions.find(`${answer.secret}x`)).toEqual(Option.none())
        yield* TestClock.adjust("719 minutes")
        expect(Option.isSome(yield* sessions.find(answer.secret))).toBe(true)
        yield* TestClock.adjust("1 minute")
        expect(yield* sessions.find(answer.secret)).toEqual(Option.none())
        const again = yield* sessions.signIn(token, "10.0.0.1")
        if (again._tag !== "SignedIn") return expect.unreachable()
        yield* sessions.end(again.secret)
        expect(yield* sessions.find(again.secret)).toEqual(Option.none())
      })
    )
  )

  it.effect("is not to be had for a minute after five wrong tokens, from that address alone", () =>
    withSessions((dataDir) =>
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const token = yield* rotateToken(dataDir, "viewer")
        for (const _ of [1, 2, 3, 4, 5]) expect((yield* sessions.signIn(wrong, "10.0.0.1"))._tag).toBe("Wrong")
        yield* TestClock.adjust("20 seconds")
        expect(yield* sessions.signIn(token, "10.0.0.1")).toEqual({ _tag: "TooMany", seconds: 40 })
        expect((yield* sessions.signIn(token, "10.0.0.2"))._tag).toBe("SignedIn")
        yield* TestClock.adjust("40 seconds")
        expect((yield* sessions.signIn(token, "10.0.0.1"))._tag).toBe("SignedIn")
      })
    )
  )
})
