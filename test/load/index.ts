/**
 * Thousands of orders at once, with faults on both sides: all end, nothing is lost, nothing is doubled, and memory stays flat.
 *
 * `npm run load` (`main.ts`) has the agent as a process of its own between both simulators on real HTTP, as the crash matrix has it
 * (`test/crash`, whose site, process and journal are used here). `orders.ts` says what is ordered, `faults.ts` what goes wrong,
 * `memory.ts` looks at the process from outside, `checks.ts` at what came of it; `run.ts` puts these together, `report.ts` prints the
 * figures and says what counts as flat. Begin with `run.ts`.
 */
export { type LoadOptions, type LoadResult, runLoad } from "./run.js"
