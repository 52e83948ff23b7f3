/**
 * The agent as it stands in `src`, with its packages in a few files: what runs is this source, whatever happens to `dist` in the
 * meantime, and a process starts in half a second rather than one and a half. The crash matrix starts hundreds. What is imported only where it
 * is needed has files of its own, so that nobody else reads it.
 */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { build } from "esbuild"

const cache = "node_modules/.cache/site-actors-crash"

/** The path of the agent's entry point. It goes when the scope closes. */
export const buildAgent: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdir(cache, { recursive: true }).then(() => mkdtemp(join(cache, "agent-")))),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  const main = join(directory, "dist", "runtime", "main.js")
  yield* Effect.promise(() =>
    build({
      entryPoints: ["src/runtime/main.ts"],
      outdir: join(directory, "dist", "runtime"),
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: true,
      // Native code stays where it is installed.
      external: ["libsql", "@libsql/*", "msgpackr-extract"],
      banner: {
        js: 'import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url)'
      },
      logLevel: "warning"
    })
  )
  // Read by the agent, for its version.
  yield* Effect.promise(() => copyFile("package.json", join(directory, "package.json")))
  return main
})
