// The program, and the two modules that plugins import, in a few files: scripts/bundle.mjs. The page, and for npm the types.
//
//   --unless-built   nothing, if all of it is there and was made of what stands here now
//   --no-page        without the page
import { execFileSync } from "node:child_process"
import { chmod, readFile, rm, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { bundle } from "./bundle.mjs"
import { cacheCode } from "./code-cache.mjs"
import { buildDashboard } from "./dashboard.mjs"
import { fingerprint } from "./fingerprint.mjs"

/** Of what all of it was made of; written last. */
const noted = "dist/made-of"
const withPage = !process.argv.includes("--no-page")
const current = withPage ? await fingerprint() : ""
if (process.argv.includes("--unless-built")) {
  const before = await readFile(noted, "utf8").catch(() => "")
  if (before === current) process.exit()
}
await rm("dist", { recursive: true, force: true })
// One build of all three: a plugin gets the same modules as the program that loads it.
await bundle({ directory: "dist", entries: ["src/runtime/main.ts", "src/plugin/index.ts", "src/kit/index.ts"] })
await chmod("dist/runtime/main.js", 0o755)
const cached = cacheCode("dist")
// Without it, what plugins import is there all the same.
if (withPage) await buildDashboard(fileURLToPath(new URL("../dist/dashboard", import.meta.url)))
await cached
if (withPage) await writeFile(noted, current)
// What npm packs has the contract's types. Here, because npm runs `prepack` before `prepare`, which is this script and begins with nothing.
if (["pack", "publish"].includes(process.env.npm_command))
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" })
