/**
 * The agent as it stands in `src`, built as it is published: what runs is this source, whatever happens to `dist` in the meantime. The crash
 * matrix starts hundreds.
 */
import { access, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from "node:fs/promises"
import { join } from "node:path"
import { Effect } from "effect"
import { bundle } from "../../scripts/bundle.mjs"
import { cacheCode } from "../../scripts/code-cache.mjs"
import { fingerprint } from "../../scripts/fingerprint.mjs"

const cache = "node_modules/.cache/site-actors-crash"

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  )

/** ms. Nothing that a process may still run from is older. */
const old = 24 * 3_600_000

const removeOld = async (): Promise<void> => {
  for (const name of await readdir(cache)) {
    const folder = join(cache, name)
    // Somebody else may remove it, too.
    const used = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now()
    )
    if (Date.now() - used > old) await rm(folder, { recursive: true, force: true })
  }
}

const built = async (): Promise<string> => {
  const folder = join(cache, `agent-${await fingerprint()}`)
  const main = join(folder, "dist", "runtime", "main.js")
  if (await isThere(main)) {
    const now = new Date()
    await utimes(folder, now, now)
    return main
  }
  await mkdir(cache, { recursive: true })
  await removeOld()
  const made = await mkdtemp(join(cache, "agent-making-"))
  await bundle({ directory: join(made, "dist"), entries: ["src/runtime/main.ts"] })
  // Read by the agent, for its version.
  await copyFile("package.json", join(made, "package.json"))
  await cacheCode(join(made, "dist"))
  // In one piece: somebody else may have made the same in the meantime.
  await rename(made, folder).catch(() => rm(made, { recursive: true, force: true }))
  return main
}

/** The path of its entry point. Built once for the same sources: a tenth of the test files need it, and it takes 6 s of processor time. */
export const buildAgent: Effect.Effect<string> = Effect.promise(built)
