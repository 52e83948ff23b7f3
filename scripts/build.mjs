// Turns src/**/*.ts into dist/**/*.js, file for file: no bundling, so that a stack trace names the file that a reader opens.
import { chmod, rm } from "node:fs/promises"
import { build } from "esbuild"

await rm("dist", { recursive: true, force: true })
await build({
  entryPoints: ["src/**/*.ts"],
  outdir: "dist",
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  logLevel: "warning"
})
await chmod("dist/runtime/main.js", 0o755)
