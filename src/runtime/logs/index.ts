/**
 * Which lines are logged, and where they can be read again.
 *
 * `levels.ts`: how much each part says, changeable while the agent runs. `file.ts`: the agent's own copy, bounded, in its data directory.
 * `read.ts`: what `site-actors logs` and `bundle` read of it. How a line looks is `runtime/logging.ts`.
 */
export { logFile } from "./file.js"
export { type LogLevels, LogLevelsInUse, levelled, makeLevels, parts } from "./levels.js"
export { type LogLine, linesIn, logPath } from "./read.js"
