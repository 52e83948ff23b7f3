import { it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, Option, Ref, TestClock } from "effect"
import { describe, expect } from "vitest"
import { freePort } from "../../test/support/ports.js"
import { begun, isWorthSaying } from "./beforehand.js"
import { accepted, file } from "./config/harness.js"
import type { Config } from "./config/index.js"
import { DatabaseUnusable } from "./journal/unusable.js"

const away = (reason = "connect ECONNREFUSED") =>
  new DatabaseUnusable({ path: "postgres://db/site", reason, hint: "Check it.", passing: true })

class Built extends Context.Tag("test/Built")<Built, number>() {}

const withPort = (port: Option.Option<number>) =>
  Effect.map(
    Effect.promise(() => accepted(file())),
    (config): Config => ({ ...config, http: { host: "127.0.0.1", port } })
  )

/** A layer that fails as it is told, one attempt after the other, and then is there. `open`: what attempts have opened and not closed. */
const failing = (errors: ReadonlyArray<DatabaseUnusable>) => {
  const seen = { attempts: 0, open: 0 }
  const layer = Layer.scoped(
    Built,
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => seen.open++),
        () => Effect.sync(() => seen.open--)
      )
      const error = errors[seen.attempts++]
      return error === undefined ? seen.attempts : yield* error
    })
  )
  return { seen, layer }
}

const logged = Effect.gen(function* () {
  const lines = yield* Ref.make<ReadonlyArray<string>>([])
  const logger = Logger.make(({ message }) => Effect.runSync(Ref.update(lines, (all) => [...all, String(message)])))
  return { lines: Ref.get(lines), layer: Logger.replace(Logger.defaultLogger, logger) }
})

const quiet = withPort(Option.none())

describe("a start", () => {
  it.scoped("waits for its database, says so once, and once more when it is something else", () =>
    Effect.gen(function* () {
      const { layer, seen } = failing([away(), away(), away(), away("timeout"), away("timeout")])
      const log = yield* logged
      const starting = yield* Effect.fork(Effect.provide(begun(yield* quiet, layer), log.layer))
      yield* TestClock.adjust("30 seconds")
      expect(Context.get(yield* Fiber.join(starting), Built)).toBe(6)
      expect(seen.open).toBe(1)
      const said = yield* log.lines
      expect(said).toHaveLength(3)
      expect(said[0]).toMatch(/^Waits for its database.*ECONNREFUSED\. Check it\.$/)
      expect(said[1]).toMatch(/^Still waits.*timeout/)
      expect(said[2]).toMatch(/^The database is there, after \d+s$/)
    })
  )

  it("says it again after ten minutes", () => {
    const before = { since: 0, said: "away", at: 1_000 }
    expect([2_000, 600_000, 601_000].map((now) => isWorthSaying(before, "away", now))).toEqual([false, false, true])
  })

  it.scoped("ends with what waiting does not mend", () =>
    Effect.gen(function* () {
      const refused = new DatabaseUnusable({ path: "postgres://db/site", reason: "password", hint: "Check it." })
      const { layer, seen } = failing([refused])
      expect(yield* Effect.flip(begun(yield* quiet, layer))).toBe(refused)
      expect(seen).toEqual({ attempts: 1, open: 0 })
    })
  )

  it.scoped("answers probes while it waits, and leaves the port to the agent then", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const config = yield* withPort(Option.some(port))
      const { layer } = failing(Array.from({ length: 3 }, () => away()))
      const log = yield* logged
      const starting = yield* Effect.fork(Effect.provide(begun(config, layer), log.layer))
      const ask = (path: string) =>
        Effect.tryPromise(() =>
          fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } }).then(async (answer) => ({
            status: answer.status,
            text: await answer.text()
          }))
        )
      // The clock is the test's, the server's socket is not.
      const eventually = <A, E>(asked: Effect.Effect<A, E>) => Effect.retry(asked, { times: 10_000 })
      yield* TestClock.adjust("2 seconds")
      expect((yield* eventually(ask("/healthz"))).status).toBe(200)
      const ready = yield* ask("/readyz")
      expect(ready.status).toBe(503)
      expect(ready.text).toContain("Not open: The database postgres://db/site cannot be used: connect ECONNREFUSED")
      expect((yield* ask("/metrics")).text).toMatch(/site_actors_offering_ready\{[^}]*\} 0/)
      const page = yield* ask("/")
      expect(page.status).toBe(503)
      expect(page.text).not.toContain("ECONNREFUSED")
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(starting)
      expect((yield* Effect.either(ask("/healthz")))._tag).toBe("Left")
    })
  )
})
