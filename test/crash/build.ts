/**
 * The agent as it stands in `src`, built as it is published: what runs is this source, whatever happens to `dist` in the meantime. The crash
 * matrix starts hundreds.
 */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { bundle } from "../../scripts/bundle.mjs"

const cache = "node_modules/.cache/site-actors-crash"

/** The path of the agent's entry point. It goes when the scope closes. */
export const buildAgent: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdir(cache, { recursive: true }).then(() => mkdtemp(join(cache, "agent-")))),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  yield* Effect.promise(() => bundle({ directory: join(directory, "dist"), entries: ["src/runtime/main.ts"] }))
  // Read by the agent, for its version.
  yield* Effect.promise(() => copyFile("package.json", join(directory, "package.json")))
  return join(directory, "dist", "runtime", "main.js")
})
