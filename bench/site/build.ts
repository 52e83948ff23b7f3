/** The simulators' process in one file beside the installed packages. */
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { build } from "esbuild"

const cache = "node_modules/.cache/site-actors-bench"

/** The path of its entry point. It goes when the scope closes. */
export const buildSimulators: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdir(cache, { recursive: true }).then(() => mkdtemp(join(cache, "simulators-")))),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  const main = join(directory, "main.mjs")
  yield* Effect.promise(() =>
    build({
      entryPoints: ["bench/simulators/main.ts"],
      outfile: main,
      bundle: true,
      packages: "external",
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      logLevel: "warning"
    })
  )
  return main
})
