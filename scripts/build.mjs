// The program, and the two modules that plugins import, in a few files: scripts/bundle.mjs. The page, and for npm the types.
import { execFileSync } from "node:child_process"
import { chmod, rm } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { bundle } from "./bundle.mjs"
import { cacheCode } from "./code-cache.mjs"
import { buildDashboard } from "./dashboard.mjs"

await rm("dist", { recursive: true, force: true })
// One build of all three: a plugin gets the same modules as the program that loads it.
await bundle({ directory: "dist", entries: ["src/runtime/main.ts", "src/plugin/index.ts", "src/kit/index.ts"] })
await chmod("dist/runtime/main.js", 0o755)
const cached = cacheCode("dist")
// Without it, what plugins import is there all the same.
if (!process.argv.includes("--no-page"))
  await buildDashboard(fileURLToPath(new URL("../dist/dashboard", import.meta.url)))
await cached
// What npm packs has the contract's types. Here, because npm runs `prepack` before `prepare`, which is this script and begins with nothing.
if (["pack", "publish"].includes(process.env.npm_command))
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" })
