import { existsSync, mkdtempSync, rmSync, utimesSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { alone } from "../journal/alone.js"
import { makeFolder } from "./folder.js"

const hour = 3600

const folder = (age: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const made = mkdtempSync(join(tmpdir(), "site-actors-order-test-"))
      const then = Date.now() / 1000 - age
      utimesSync(made, then, then)
      return made
    }),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )

it.scopedLive("a test order removes the folders of those that were killed, and none in which somebody works", () =>
  Effect.gen(function* () {
    const killed = yield* folder(hour)
    const justMade = yield* folder(0)
    const atWork = yield* folder(hour)
    yield* Layer.build(alone(atWork))
    const then = Date.now() / 1000 - hour
    utimesSync(atWork, then, then)
    const own = yield* Effect.scoped(
      Effect.tap(makeFolder, (made) => {
        expect([killed, justMade, atWork, made].map((one) => existsSync(one))).toEqual([false, true, true, true])
      })
    )
    expect(existsSync(own)).toBe(false)
  }).pipe(Effect.provide(NodeContext.layer))
)
