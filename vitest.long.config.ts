import { defineConfig } from "vitest/config"

/** `npm run test:long`: what takes its time, beside the default run. One file after the other, as each wants the machine for itself. */
export default defineConfig({
  test: {
    include: ["test/**/*.long.ts"],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 60_000
  }
})
