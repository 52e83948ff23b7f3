/** How workers are run: for the default run, and for the long one. */
export const workers = {
  setupFiles: ["test/support/turns.ts"],
  // 2 cores: much of the time is waiting, so four workers keep both busy (when all ran 280 s, three took 298 s, and were idle for a fifth of it).
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
