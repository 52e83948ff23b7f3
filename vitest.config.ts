import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import { alias } from "./vitest.alias.js"

/** Begun last, these would be what is waited for in the end, with a core and a half idle. Longest first. */
const long = [
  "test/chaos/chaos.test.ts",
  "test/crash/crash.test.ts",
  "test/cluster/cluster.test.ts",
  "test/dashboard/page.test.ts",
  "test/crash/database.test.ts"
]

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = long.findIndex((name) => moduleId.endsWith(name))
      return at === -1 ? long.length : at
    }
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}

export default defineConfig({
  resolve: { alias },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    sequence: { sequencer: LongestFirst },
    setupFiles: ["test/support/turns.ts"],
    // 2 cores: much of the time is waiting, so four workers keep both busy (280 s; with three 298 s, and a fifth of them idle).
    maxWorkers: 4,
    // As many from the start: a pool that shrinks while files wait ends the run with an error of its own (vitest 3.2).
    minWorkers: 4,
    // Most of what a test makes is garbage at once: with room for more of it a run costs a twelfth less processor time. And much of the code runs
    // only some hundred times: compiled simply, and at once, that is some 3 % less.
    poolOptions: {
      forks: { execArgv: ["--max-semi-space-size=64", "--min-semi-space-size=32", "--always-sparkplug"] }
    },
    // A worker loads the libraries once, not once for each file: that was a third of the whole run. No file changes what others share.
    isolate: false,
    // Only what hangs may end here: a machine that is ten times slower than ours makes no test fail.
    testTimeout: 180_000,
    hookTimeout: 180_000
  }
})
