import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { SqlClient } from "@effect/sql"
import { expect, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Option, Redacted, TestClock } from "effect"
import { describe } from "vitest"
import { later } from "../../../test/support/clock.js"
import { database } from "../../../test/support/postgres.js"
import { tcpProxy } from "../../../test/support/tcp-proxy.js"
import { type Place, Postgres } from "../database/place.js"
import * as Database from "../journal/database.js"
import { Sessions } from "./sessions.js"
import { firstToken, rotateToken } from "./tokens.js"

/** A process, as far as the page is concerned. */
const openProcess = (place: Place) =>
  Layer.build(
    Sessions.layer(Duration.hours(12)).pipe(Layer.provideMerge(Database.layer(place)), Layer.provide(NodeContext.layer))
  )

const withSessions = (test: Effect.Effect<void, unknown, Sessions | SqlClient.SqlClient>) =>
  Effect.gen(function* () {
    const dataDir = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "site-actors-sessions-" })
    yield* Effect.provide(test, yield* openProcess(dataDir))
  }).pipe(Effect.provide(NodeContext.layer), Effect.scoped)

const wrong = Redacted.make("wrong")

/** Signs in, and gives what the browser gets. */
const secretFor = (token: Redacted.Redacted) =>
  Effect.gen(function* () {
    const answer = yield* (yield* Sessions).signIn(token, "10.0.0.1")
    if (answer._tag !== "SignedIn") return yield* Effect.dieMessage(`not signed in: ${answer._tag}`)
    return answer.secret
  })

describe("a session", () => {
  it.effect("is found by its secret until it ends, by itself or by hand", () =>
    withSessions(
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const token = yield* rotateToken("operator")
        const secret = yield* secretFor(token)
        expect(yield* sessions.find(secret)).toMatchObject({ value: { role: "operator" } })
        expect(yield* sessions.find(`${secret}x`)).toEqual(Option.none())
        yield* TestClock.adjust("719 minutes")
        expect(Option.isSome(yield* sessions.find(secret))).toBe(true)
        yield* TestClock.adjust("1 minute")
        expect(yield* sessions.find(secret)).toEqual(Option.none())
        const again = yield* secretFor(token)
        yield* sessions.end(again)
        expect(yield* sessions.find(again)).toEqual(Option.none())
      })
    )
  )

  it.effect("is not to be had for a minute after five wrong tokens, from that address alone", () =>
    withSessions(
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const token = yield* rotateToken("viewer")
        for (const _ of [1, 2, 3, 4, 5]) expect((yield* sessions.signIn(wrong, "10.0.0.1"))._tag).toBe("Wrong")
        yield* TestClock.adjust("20 seconds")
        expect(yield* sessions.signIn(token, "10.0.0.1")).toEqual({ _tag: "TooMany", seconds: 40 })
        expect((yield* sessions.signIn(token, "10.0.0.2"))._tag).toBe("SignedIn")
        yield* TestClock.adjust("40 seconds")
        expect((yield* sessions.signIn(token, "10.0.0.1"))._tag).toBe("SignedIn")
      })
    )
  )

  it.effect("is not to be had sooner by wrong tokens that come all at once", () =>
    withSessions(
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const token = yield* rotateToken("viewer")
        const tries = Array.from({ length: 20 }, () => sessions.signIn(wrong, "10.0.0.1"))
        const answers = yield* Effect.all(tries, { concurrency: "unbounded" })
        expect(answers.filter(({ _tag }) => _tag === "Wrong")).toHaveLength(5)
        // Right ones are not counted, however many come at once.
        for (let round = 0; round < 2; round++) {
          const right = Array.from({ length: 4 }, () => sessions.signIn(token, "10.0.0.2"))
          const all = yield* Effect.all(right, { concurrency: "unbounded" })
          expect(all.map(({ _tag }) => _tag)).toEqual(["SignedIn", "SignedIn", "SignedIn", "SignedIn"])
        }
      })
    )
  )

  it.effect("takes the place of those that end first when there are a thousand, and of those that have ended", () =>
    withSessions(
      Effect.gen(function* () {
        const sessions = yield* Sessions
        const sql = yield* SqlClient.SqlClient
        const token = yield* rotateToken("viewer")
        const first = yield* secretFor(token)
        yield* sql`INSERT INTO page_session (id, role, token, expires)
          WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 998)
          SELECT 'filled ' || i, 'viewer', '', 100000000 FROM n`
        yield* TestClock.adjust("1 second")
        const second = yield* secretFor(token)
        const third = yield* secretFor(token)
        const known = yield* Effect.forEach([first, second, third], sessions.find)
        expect(known.map(Option.isSome)).toEqual([false, true, true])
        yield* TestClock.adjust("30 hours")
        const later = yield* secretFor(token)
        expect(yield* sql`SELECT count(*) AS many FROM page_session`).toEqual([{ many: 1 }])
        expect(Option.isSome(yield* sessions.find(later))).toBe(true)
      })
    )
  )
})

/** When what was found is no longer believed, without the wait for it. */
const soon = later(2_001)

describe("several processes on one PostgreSQL", () => {
  it.scopedLive("know each other's sessions and tokens, and for a while without the database", () =>
    Effect.gen(function* () {
      const { place, port } = yield* database(2)
      const proxy = yield* tcpProxy(port)
      const through = new URL(Redacted.value(place.url))
      through.port = String(proxy.port)
      const here = yield* openProcess(place)
      const there = yield* openProcess(new Postgres({ ...place, url: Redacted.make(through.href) }))
      const known = (secret: string) => Effect.map(Context.get(there, Sessions).find(secret), Option.isSome)

      const first = yield* Effect.all([here, there].map((process) => Effect.provide(firstToken("operator"), process)))
      const made = first.flatMap(Option.toArray)
      expect(made).toHaveLength(1)
      const [token = wrong] = made
      const [one, two] = yield* Effect.provide(Effect.all([secretFor(token), secretFor(token)]), here)
      expect(yield* Effect.forEach([one, two, "another"], known)).toEqual([true, true, false])

      // One signs out at one process, and two seconds later the other has forgotten it as well.
      yield* Context.get(here, Sessions).end(one)
      expect(yield* Effect.forEach([one, two], (secret) => soon(known(secret)))).toEqual([false, true])

      proxy.set("cut")
      expect(yield* Effect.forEach([two, one, "another"], (secret) => soon(known(secret)))).toEqual([
        true,
        false,
        false
      ])
      proxy.set("open")
      // A new token ends what the one before began; that is known when the database answers again.
      yield* Effect.provide(rotateToken("operator"), here)
      yield* Effect.delay(soon(known(two)), "20 millis").pipe(Effect.repeat({ while: (is) => is }))
    })
  )
})
