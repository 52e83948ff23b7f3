// Turns src/**/*.ts into dist/**/*.js, file for file: no bundling, so that a stack trace names the file that a reader opens.
import { chmod, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { build } from "esbuild"

const isTest = (path) => path.endsWith(".test.ts") || path.includes("/testing/") || path.endsWith("/harness.ts")
const files = await readdir("src", { recursive: true })
const entryPoints = files
  .map((file) => join("src", file))
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts") && !isTest(file))

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
