/** One run: a seed in, a verdict out. */
import { type Fiber, GlobalValue } from "effect"
import type { Bench as BenchType } from "./bench.js"
import { Bench, makeServers } from "./bench.js"
import { CloudChecks } from "./cloud-checks.js"
import { configuration, fillMarket } from "./configuration.js"
import { Customers } from "./customers.js"
import { openDatabase } from "./database.js"
import { checkAtRest, checkNothingLeft } from "./final-checks.js"
import { Happenings } from "./happenings.js"
import { openStates } from "./ledger.js"
import { MarketChecks } from "./market-checks.js"
import { Processes } from "./processes.js"
import type { Violation } from "./violation.js"

export interface RunOptions {
  readonly seed: number
  readonly trace?: boolean
  readonly only?: ReadonlyArray<string>
}

export interface Verdict {
  readonly seed: number
  readonly violation: Violation | undefined
  /** Hash of the story. */
  readonly digest: string
  readonly story: string
  readonly faults: string
  readonly orders: number
  readonly faultsCaused: number
  readonly lines: number
  readonly virtualMinutes: number
}

const minute = 60_000

/**
 * Effect keeps a list of the fibers that nobody waits for, and each leaves it when it ends. Those of a killed process never do: with all that
 * they hold, which is their whole run, they would stay in memory, 8 MB a seed, and be copied there again and again.
 */
const forgetFibers = (): void =>
  GlobalValue.globalValue(Symbol.for("effect/FiberScope/Global"), () => ({
    roots: new Set<Fiber.RuntimeFiber<unknown, unknown>>()
  })).roots.clear()

export const runSeed = async ({ seed, trace = false, only }: RunOptions): Promise<Verdict> => {
  const bench = new Bench({ seed, trace, ...(only === undefined ? {} : { only }) })
  const database = await openDatabase()
  try {
    await live(bench, database)
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown
    bench.broken("the run itself is sound", thrown.stack ?? thrown.message)
  }
  database.close()
  forgetFibers()
  return {
    seed,
    violation: bench.violation,
    digest: bench.story.digest,
    story: bench.story.text,
    faults: bench.faults.summary,
    orders: bench.ledger.placed.size,
    faultsCaused: bench.faults.caused,
    lines: bench.story.lines,
    virtualMinutes: Math.round((bench.timeline.now - bench.timeline.began) / minute)
  }
}

const live = async (bench: BenchType, database: Awaited<ReturnType<typeof openDatabase>>): Promise<void> => {
  const { timeline, chance, story } = bench
  const isOver = () => bench.violation !== undefined
  story.tell("world", "", `faults: ${bench.faults.summary}`)
  const servers = makeServers(bench)
  const market = fillMarket(servers.marketplace, bench.secrets)
  const config = await configuration(bench.secrets, chance)
  const cloud = new CloudChecks(bench, servers.frontEnd)
  const checks = { cloud, market: new MarketChecks(bench, servers.marketplace, servers.frontEnd.world, cloud) }
  const processes = new Processes(bench, { servers, database, config, checks })
  const happenings = new Happenings(bench, servers, cloud, processes)
  const customers = new Customers(bench, servers, market, (placed, slug) => happenings.onPlaced(placed, slug))

  processes.start()
  const busy = chance.fork("busy")
  const activity = Math.round(busy.skewed(1, 5) * minute)
  happenings.schedule(timeline.now + activity)
  const until = timeline.now + activity
  const pace = busy.skewed(5_000, 25_000)
  const next = () => {
    bench.later(busy.between(0, 2 * pace), () => {
      if (timeline.now > until) return
      customers.act()
      next()
    })
  }
  customers.act()
  next()
  await timeline.run(isOver, activity)
  if (isOver()) return

  story.tell("world", "", "faults end")
  bench.faults.on = false
  happenings.mend()
  processes.settle()
  await settled(bench, servers, processes, isOver)
  if (isOver()) return
  checkAtRest(bench, servers, cloud, database, customers)
  if (isOver()) return

  story.tell("world", "", "customers end everything")
  for (let turn = 0; turn < 8 && !isOver() && !customers.endAll(); turn++)
    await settled(bench, servers, processes, isOver)
  if (isOver()) return
  checkNothingLeft(bench, servers, cloud, database)
}

const patience = 60 * minute

/** Until no order waits, nothing moves in the cloud, and nothing is left to be undone. */
const settled = async (
  bench: BenchType,
  { frontEnd, marketplace }: ReturnType<typeof makeServers>,
  processes: Processes,
  isOver: () => boolean
): Promise<void> => {
  const deadline = bench.timeline.now + patience
  const waiting = () => [
    ...[...marketplace.orders.values()]
      .filter(({ state, uuid }) => openStates.has(state) || bench.mirror.ended(uuid) === "accepted")
      .map(({ uuid, type, state }) => `${type} ${uuid} (${state}; ${bench.mirror.openSteps(uuid).join(", ")})`),
    ...(frontEnd.pendingWork() > 0 ? ["the cloud is at work"] : []),
    ...[...bench.mirror.leftoverOrders()].map((order) => `leftovers of ${order}`)
  ]
  while (bench.timeline.now < deadline && !isOver()) {
    await bench.timeline.run(isOver, 15_000)
    const quarantined = processes.quarantined()
    bench.expect(quarantined.length === 0, "no defects", () => quarantined.join("; ").slice(0, 1500))
    if (waiting().length === 0) {
      // Looks after backend ids go on for some seconds.
      return bench.timeline.run(isOver, 15_000)
    }
  }
  bench.expect(isOver(), "no order waits for ever", () => waiting().join("; "))
}
