/** `npm run chaos -- --soak 60`: fresh seeds, one after the other, until so many minutes of machine time are over. */
import { cpus } from "node:os"

/** What a run says of itself (test/chaos/main.ts). */
const passed = /^seed (\d+) passed: (\d+) orders, (\d+) faults, (\d+) virtual minutes/gm
const failed = /^seed (\d+) FAILED.*$/gm

/** Seeds for one process: what dead processes of a run leave in memory goes with it. */
const part = 50

/** Minutes between two lines of progress. */
const every = 5

/** `run`: starts the bundle `file` with options and gives its exit code and output. */
export const soak = async ({ minutes, from, workers, file, run }) => {
  const sum = { seeds: 0, failed: 0, orders: 0, faults: 0, virtualMinutes: 0 }
  const began = Date.now()
  const spent = () => (Date.now() - began) / 60_000
  const told = () =>
    [
      `${spent().toFixed(1)} min: ${sum.seeds} seeds from ${from}`,
      `${(sum.virtualMinutes / 1440).toFixed(1)} simulated days`,
      `${sum.orders} orders`,
      `${sum.faults} faults`,
      `${sum.failed} violations`
    ].join(", ")
  let next = from
  let nextTold = every
  const work = async () => {
    while (spent() < minutes) {
      const first = next
      next += part
      const { code, output } = await run(file, ["--seeds", String(part), "--from", String(first), "--verbose"])
      let seen = 0
      for (const [, , orders, faults, virtual] of output.matchAll(passed)) {
        seen += 1
        sum.orders += Number(orders)
        sum.faults += Number(faults)
        sum.virtualMinutes += Number(virtual)
      }
      const violations = [...output.matchAll(failed)].map(([line]) => line)
      for (const line of violations) console.log(line)
      sum.seeds += seen + violations.length
      sum.failed += violations.length
      // A process that ended before it had told of all its seeds is a failure too.
      if (seen + violations.length < part) {
        sum.failed += 1
        console.log(`seeds from ${first}: exit ${code} ${output.slice(-2000)}`)
      }
      if (spent() >= nextTold) {
        nextTold += every
        console.log(told())
      }
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  console.log(`${told()}; ${workers} processes on ${cpus().length} cores, Node ${process.version}`)
  return sum.failed === 0 && sum.seeds > 0
}
