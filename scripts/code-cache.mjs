/**
 * What V8 compiles of the program, written beside it when it is built: `loader.cjs` has it read at each start
 * (docs/decisions/0069-compiled-when-it-is-built.md).
 */
import { execFile } from "node:child_process"
import { promisify } from "node:util"

/** ms. It takes some two seconds. */
const atMost = 60_000

/**
 * In the repository, as `bundle.mjs`. `directory`: of a bundle, with the program's package.json one folder up. Without it the program runs all the
 * same, so a build does not fail for it.
 */
export const cacheCode = async (directory) => {
  try {
    // In a process of its own, with the options of V8 that an agent has: none.
    const { NODE_OPTIONS, ...env } = process.env
    await promisify(execFile)(process.execPath, ["scripts/warm-up.mjs", directory], {
      env,
      timeout: atMost,
      killSignal: "SIGKILL"
    })
  } catch (error) {
    console.error(`No compiled code is kept beside the program, which starts more slowly: ${error.message}`)
  }
}
