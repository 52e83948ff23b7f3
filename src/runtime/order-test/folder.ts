/** The data directory of a test order's agent: a folder of the system's for what is temporary, which goes with the test. */
import { tmpdir } from "node:os"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Clock, Effect, Layer, Option } from "effect"
import { alone } from "../journal/alone.js"

const prefix = "site-actors-order-test-"

/** ms. Nobody takes so long from making its folder to working in it. */
const young = 60_000

/** Those of tests that were killed: nobody works in them, and what they know of is found by its tags and names. Others' are left alone. */
const removeLeft = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const { join } = yield* Path.Path
  const now = yield* Clock.currentTimeMillis
  const names = yield* files.readDirectory(tmpdir())
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const folder = join(tmpdir(), name)
    yield* Effect.gen(function* () {
      const { mtime } = yield* files.stat(folder)
      if (Option.exists(mtime, (at) => now - at.getTime() < young)) return
      yield* Layer.build(alone(folder))
      yield* files.remove(folder, { recursive: true })
    }).pipe(Effect.scoped, Effect.ignore)
  }
}).pipe(Effect.ignore)

/** Until the scope closes. */
export const makeFolder = Effect.zipRight(
  removeLeft,
  Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped({ prefix }))
).pipe(Effect.tap((folder) => Layer.build(alone(folder))))
