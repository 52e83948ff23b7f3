import { defineConfig } from "vitest/config"
import { alias } from "./vitest.alias.js"

/** `npm run test:long`: what takes its time, beside the default run. One file after the other, as each wants the machine for itself. */
export default defineConfig({
  resolve: { alias },
  test: {
    include: ["test/**/*.long.ts", "examples/**/*.test.ts", "packages/*/template/test/*.test.ts"],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000
  }
})
