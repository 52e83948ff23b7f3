// Loaded with `node --expose-gc --import` before the agent: on SIGUSR2 it collects what is garbage and prints what remains, in MB.
process.on("SIGUSR2", () => {
  globalThis.gc?.()
  process.stdout.write(`heap in use ${(process.memoryUsage().heapUsed / 1_000_000).toFixed(1)}\n`)
})
