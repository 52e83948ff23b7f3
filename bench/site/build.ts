/** The bench's programs beside the agent, each in one file beside the installed packages. */
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Effect, type Scope } from "effect"
import { build } from "esbuild"

const cache = "node_modules/.cache/site-actors-bench"

export interface Programs {
  /** Paths: the simulators' process, and what is loaded into the agent's. */
  readonly simulators: string
  readonly preload: string
}

/** They go when the scope closes. */
export const buildPrograms: Effect.Effect<Programs, never, Scope.Scope> = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.promise(() => mkdir(cache, { recursive: true }).then(() => mkdtemp(join(cache, "programs-")))),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  yield* Effect.promise(() =>
    build({
      entryPoints: { simulators: "bench/simulators/main.ts", preload: "bench/site/preload.ts" },
      outdir: directory,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      packages: "external",
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      logLevel: "warning"
    })
  )
  return { simulators: join(directory, "simulators.mjs"), preload: resolve(directory, "preload.mjs") }
})
