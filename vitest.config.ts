import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"
import { alias } from "./vitest.alias.js"
import { workers } from "./vitest.workers.js"

/** Begun last, these would be what is waited for in the end, with a core and a half idle. Longest first. */
const long = [
  "test/chaos/chaos.test.ts",
  "test/crash/crash.test.ts",
  "test/cluster/cluster.test.ts",
  "test/dashboard/page.test.ts"
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
    ...workers
  }
})
