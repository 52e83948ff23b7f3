import { defineConfig } from "vitest/config"
import { alias } from "./vitest.alias.js"
import { workers } from "./vitest.workers.js"

/** What wants the machine for itself: it looks at memory, or at how long something takes. One file after the other, when the others are done. */
const alone = [
  "test/bench/bench.long.ts",
  "test/load/load.long.ts",
  "test/crash/stop.long.ts",
  "test/crash/event-to-start.long.ts"
]

/** `npm run test:long`: what takes its time, beside the default run. */
export default defineConfig({
  resolve: { alias },
  test: {
    ...workers,
    projects: [
      {
        extends: true,
        test: {
          name: "long",
          include: ["test/**/*.long.ts", "examples/**/*.test.ts", "packages/*/template/test/*.test.ts"],
          exclude: alone
        }
      },
      { extends: true, test: { name: "alone", include: alone, poolOptions: { forks: { singleFork: true } } } }
    ]
  }
})
