// Turns src/**/*.ts into dist/**/*.js, file for file: no bundling, so that a stack trace names the file that a reader opens.
import { execFileSync } from "node:child_process"
import { chmod, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { buildDashboard } from "./dashboard.mjs"

const isTest = (path) => path.endsWith(".test.ts") || path.includes("/testing/") || path.endsWith("/harness.ts")
/** The web page is not the agent's: it is built for browsers, below. */
const isPage = (path) => path.startsWith(join("src", "dashboard"))
const files = await readdir("src", { recursive: true })
const entryPoints = files
  .map((file) => join("src", file))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !isTest(file) && !isPage(file))

await rm("dist", { recursive: true, force: true })
await build({
  entryPoints,
  outdir: "dist",
  outbase: "src",
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  logLevel: "warning"
})
await chmod("dist/runtime/main.js", 0o755)
// Without it, what plugins import is there all the same.
if (!process.argv.includes("--no-page"))
  await buildDashboard(fileURLToPath(new URL("../dist/dashboard", import.meta.url)))
// What npm packs has the contract's types. Here, because npm runs `prepack` before `prepare`, which is this script and begins with nothing.
if (["pack", "publish"].includes(process.env.npm_command))
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" })
