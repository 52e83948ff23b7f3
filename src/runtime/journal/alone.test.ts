/** Two agents that are started on one data directory. */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { alone } from "./alone.js"

const begun = (directory: string) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Layer.buildWithScope(alone(directory), scope)
    return Scope.close(scope, Exit.void)
  })

describe("a data directory", () => {
  it.effect("has one agent at a time; the next one begins when that has ended", () =>
    Effect.gen(function* () {
      const directory = join(mkdtempSync(join(tmpdir(), "site-actors-alone-")), "data")
      const end = yield* begun(directory)
      const refused = yield* Effect.flip(begun(directory))
      expect(refused).toMatchObject({ passing: true })
      expect(refused.message).toBe(
        `The database ${directory}/journal.db cannot be used: another agent works on it. This one begins when that one has ended. Or give it a --data-dir of its own, if its offerings are others.`
      )
      // Who was refused has taken nothing along.
      expect(yield* Effect.flip(begun(directory))).toEqual(refused)
      expect(readdirSync(directory)).toEqual(["agent.lock"])
      expect(statSync(join(directory, "agent.lock")).mode & 0o777).toBe(0o600)
      yield* end
      yield* yield* begun(directory)
      rmSync(join(directory, ".."), { recursive: true })
    })
  )
})
