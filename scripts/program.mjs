// Bundles and runs a program of the tests: `node scripts/program.mjs test/crash/main.ts --help`. TypeScript with the installed packages beside it.
import { spawn } from "node:child_process"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { build } from "esbuild"

const [entry, ...options] = process.argv.slice(2)
const cache = "node_modules/.cache/site-actors-crash"
await mkdir(cache, { recursive: true })
const directory = await mkdtemp(join(cache, "program-"))
const outfile = join(directory, "main.mjs")
await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: "inline",
  logLevel: "warning"
})
const child = spawn(process.execPath, ["--enable-source-maps", outfile, ...options], { stdio: "inherit" })
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal))
child.once("close", async (code) => {
  await rm(directory, { recursive: true, force: true })
  process.exitCode = code ?? 1
})
