/** Many machines ordered at once: how long until all run, how many calls and how much memory it takes, how early the first ones end. */
import { Effect } from "effect"
import { ordersInWork } from "../../src/runtime/actors/places.js"
import type { Figure } from "../figures.js"
import { bareOn } from "../plain/bare.js"
import { commands, type Open } from "../simulators/protocol.js"
import { cpuMillis, residentMb } from "../site/agent.js"
import { frontEnd, type Given, instant, openSite } from "../site/bench.js"

export interface Burst {
  readonly seconds: number
  readonly perSecond: number
  /** ms of processor time an order, all threads. */
  readonly cpu: number
  readonly simulatorsCpu: number
  /** An order, on both sides, with what comes after `done`. */
  readonly calls: number
  readonly waitCalls: number
  /** MB, at most. */
  readonly resident: number
  /** The share of the time after which a tenth has ended. */
  readonly firstTenth: number
}

/** Longer than the agent waits with its last look at a new resource (`backendIdGuard`). */
const afterDone = "5 seconds"

/** The orders are there before the agent starts; the time begins with its first look at them. */
export const burst = (given: Given, open: Open, orders: number, dataCentres: number) =>
  Effect.gen(function* () {
    const { agent, simulators, untilCalled } = yield* openSite(given, open)
    yield* simulators.ask(commands.dataCentres, dataCentres)
    yield* simulators.ask(commands.forgetCalls, null)
    const process = yield* agent.start
    yield* untilCalled("GET marketplace-orders/", 2)
    const [cpuBefore, othersBefore] = [yield* cpuMillis(process.pid), yield* cpuMillis(simulators.pid)]
    yield* simulators.ask(commands.forgetCalls, null)
    const placed = yield* simulators.ask(commands.orderVms, orders)
    const ended = yield* simulators.ask(commands.ended, placed)
    const [cpu, others] = [yield* cpuMillis(process.pid), yield* cpuMillis(simulators.pid)]
    const { most } = yield* residentMb(process.pid)
    // Each new resource is looked at once more a while after `done`: short runs would end before, and seem cheaper.
    yield* Effect.sleep(afterDone)
    const counts = yield* simulators.ask(commands.callCounts, null)
    process.signal("SIGTERM")
    yield* process.ended
    const wrong = ended.find(({ state }) => state !== "done")
    if (wrong !== undefined) return yield* Effect.dieMessage(`an order is ${wrong.state}: ${wrong.error}`)
    const began = Math.min(...ended.map(({ placed }) => placed))
    const ends = ended.map((order) => order.ended - began).sort((a, b) => a - b)
    const last = ends.at(-1) ?? 0
    return {
      seconds: last / 1000,
      perSecond: (orders / last) * 1000,
      cpu: (cpu - cpuBefore) / orders,
      simulatorsCpu: (others - othersBefore) / orders,
      calls: Object.values(counts).reduce((sum, count) => sum + count, 0) / orders,
      waitCalls: ((counts["one.vm.info"] ?? 0) + (counts["one.vmpool.infoset"] ?? 0)) / orders,
      resident: most,
      firstTenth: (ends[Math.floor(orders / 10)] ?? last) / last
    } satisfies Burst
  }).pipe(Effect.scoped)

interface Floor {
  readonly perSecond: number
  /** ms of processor time an order, of this process. */
  readonly cpu: number
}

/** As many machines, by nothing but the calls and entries themselves; as many at once as the agent has of an offering in work. */
const bareBurst = (given: Given, orders: number, dataCentres: number) =>
  Effect.gen(function* () {
    const { simulators } = yield* openSite(given, instant)
    yield* simulators.ask(commands.dataCentres, dataCentres)
    const bare = yield* bareOn(simulators)
    const placed = yield* simulators.ask(commands.orderVms, orders)
    const [began, before] = [performance.now(), process.cpuUsage()]
    yield* Effect.forEach(placed, (order) => Effect.promise(() => bare.createVm(order, 1)), {
      concurrency: ordersInWork,
      discard: true
    })
    const { system, user } = process.cpuUsage(before)
    return {
      perSecond: (orders / (performance.now() - began)) * 1000,
      cpu: (system + user) / 1000 / orders
    } satisfies Floor
  }).pipe(Effect.scoped)

/** s that one machine takes the Python agent, one after the other, its wait of 5 s and its look at the queue every second included. */
const sequentialSeconds = 1 / 0.13

export const atOnce = (given: Given) =>
  Effect.gen(function* () {
    const orders = given.tiny ? 4 : 200
    const run = yield* burst(given, frontEnd, orders, 10)
    return [
      {
        what: "200 VM creates at once: until the last has ended",
        value: run.seconds,
        unit: "s",
        reach: { atMost: (orders * sequentialSeconds) / 50 },
        work: run.seconds * 1000
      },
      {
        what: "200 VM creates at once: calls spent on waiting",
        value: run.waitCalls,
        unit: "calls/VM",
        reach: { atMost: 1.2 }
      },
      { what: "200 VM creates at once: calls on both sides", value: run.calls, unit: "calls/VM" },
      { what: "200 VM creates at once: memory at most", value: run.resident, unit: "MB" }
    ] satisfies ReadonlyArray<Figure>
  })

export const throughput = (given: Given) =>
  Effect.gen(function* () {
    const orders = given.tiny ? 4 : 2000
    const run = yield* burst(given, instant, orders, 40)
    const floor = yield* bareBurst(given, orders, 40)
    return [
      {
        what: "2,000 VM creates at once, instant backend: orders a second",
        value: run.perSecond,
        unit: "orders/s",
        reach: { atLeast: 100 }
      },
      {
        what: "2,000 VM creates at once, instant backend: the agent's processor time",
        value: run.cpu,
        unit: "ms/order",
        ratio: { value: run.cpu / floor.cpu, of: "the bare calls and entries" }
      },
      {
        what: "2,000 VM creates at once, bare calls and entries alone: orders a second",
        value: floor.perSecond,
        unit: "orders/s"
      },
      {
        what: "2,000 VM creates at once, bare calls and entries alone: processor time",
        value: floor.cpu,
        unit: "ms/order"
      },
      {
        what: "2,000 VM creates at once, instant backend: the simulators' processor time",
        value: run.simulatorsCpu,
        unit: "ms/order"
      },
      { what: "2,000 VM creates at once, instant backend: memory at most", value: run.resident, unit: "MB" },
      {
        what: "2,000 VM creates at once, instant backend: a tenth has ended after",
        value: 100 * run.firstTenth,
        unit: "% of the time",
        ratio: { value: run.firstTenth, of: "the whole time" }
      }
    ] satisfies ReadonlyArray<Figure>
  })

/** What the growth is drawn from. */
export const growth = (given: Given) =>
  Effect.gen(function* () {
    const sizes = given.tiny ? [2, 4] : given.full ? [10, 100, 1000, 10_000] : [10, 100, 1000]
    const runs = yield* Effect.forEach(sizes, (orders) =>
      Effect.zipRight(
        given.tell(`growth: ${orders} orders`),
        Effect.map(burst(given, instant, orders, Math.max(1, Math.ceil(orders / 50))), (run) => ({ orders, run }))
      )
    )
    const [, second] = runs
    const last = runs.at(-1)
    const figures = runs.flatMap(
      ({ orders, run }): ReadonlyArray<Figure> => [
        { what: `growth, ${orders} orders: processor time`, value: run.cpu, unit: "ms/order" },
        { what: `growth, ${orders} orders: orders a second`, value: run.perSecond, unit: "orders/s" },
        { what: `growth, ${orders} orders: calls`, value: run.calls, unit: "calls/order" },
        { what: `growth, ${orders} orders: memory at most`, value: run.resident, unit: "MB" }
      ]
    )
    if (second === undefined || last === undefined) return figures
    const worse = last.run.cpu / second.run.cpu
    return [
      ...figures,
      {
        what: "growth: processor time an order, the most orders against the second fewest",
        value: worse,
        unit: "times",
        reach: { atMost: 1.1 },
        ratio: { value: worse, of: "the second fewest" }
      },
      {
        what: "growth: calls an order, the most orders against the second fewest",
        value: last.run.calls / second.run.calls,
        unit: "times",
        reach: { atMost: 1.1 },
        ratio: { value: last.run.calls / second.run.calls, of: "the second fewest" }
      }
    ] satisfies ReadonlyArray<Figure>
  })
