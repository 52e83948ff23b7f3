/** What stands still: machines that wait, resources that nobody touches, a restart before a full journal. */
import { Effect, Schedule } from "effect"
import type { Figure } from "../figures.js"
import { commands } from "../simulators/protocol.js"
import { cpuMillis, residentMb } from "../site/agent.js"
import { type BenchSite, type Given, instant, openSite } from "../site/bench.js"
import { lastEntry, untilWorked, waited } from "../site/journal.js"

/** A machine's boot that does not end while the bench looks, in ms. */
const longBoot = 7_200_000
const secondsOf = (given: Given) => (given.tiny ? 1 : 30)

/** Calls a second, MB and share of a core over some time. */
const observe = (site: BenchSite, pid: number, seconds: number) =>
  Effect.gen(function* () {
    yield* site.simulators.ask(commands.forgetCalls, null)
    const before = yield* cpuMillis(pid)
    yield* Effect.sleep(`${seconds} seconds`)
    const cpu = (yield* cpuMillis(pid)) - before
    const counts = yield* site.simulators.ask(commands.callCounts, null)
    const cloud = Object.entries(counts).filter(([name]) => name.startsWith("one."))
    return {
      cloudCalls: cloud.reduce((sum, [, count]) => sum + count, 0) / seconds,
      share: cpu / seconds / 10,
      resident: (yield* residentMb(pid)).now
    }
  })

export const waiting = (given: Given) =>
  Effect.gen(function* () {
    const machines = given.tiny ? 3 : given.full ? 10_000 : 1_000
    // Until ten thousand are made, the first have waited for longer than the usual ten minutes, and would be undone.
    const machineSettings = { vm_start_timeout: longBoot / 1000 }
    const site = yield* openSite(given, { ...instant, bootMillis: longBoot }, { pollInterval: 5, machineSettings })
    const { agent, simulators, untilCalled } = site
    yield* simulators.ask(commands.dataCentres, Math.ceil(machines / 100))
    yield* simulators.ask(commands.orderVms, machines)
    const process = yield* agent.start
    yield* untilCalled("one.vm.action", machines)
    // Actors of parked orders have left by then.
    yield* Effect.sleep(given.tiny ? "100 millis" : "75 seconds")
    const seen = yield* observe(site, process.pid, secondsOf(given))
    process.kill()
    const named = `${machines.toLocaleString("en")} VMs that wait`
    return [
      { what: "VMs that wait: how many", value: machines, unit: "VMs" },
      { what: "VMs that wait: calls of the backend", value: seen.cloudCalls, unit: "calls/s", reach: { atMost: 2.2 } },
      {
        what: "VMs that wait: memory",
        value: seen.resident,
        unit: "MB",
        reach: { atMost: 300 },
        note: `with ${named}; asked for with 10,000 (\`--full\`)`
      },
      { what: "VMs that wait: processor", value: seen.share, unit: "% of a core" }
    ] satisfies ReadonlyArray<Figure>
  }).pipe(Effect.scoped)

export const idle = (given: Given) =>
  Effect.gen(function* () {
    const machines = given.tiny ? 3 : 10_000
    const site = yield* openSite(given, instant, { pollInterval: 5, settings: { observation_interval: 86_400 } })
    const { agent, simulators, untilCalled } = site
    yield* simulators.ask(commands.dataCentres, given.tiny ? 1 : 1_000)
    yield* given.tell("idle: making 10,000 machines")
    yield* simulators.ask(commands.machines, machines)
    const process = yield* agent.start
    yield* untilCalled("GET marketplace-orders/", 2)
    // What a start leaves behind is collected within a minute: V8 does that when a process has come to rest.
    yield* Effect.sleep(given.tiny ? "100 millis" : "60 seconds")
    const seen = yield* observe(site, process.pid, secondsOf(given))
    process.signal("SIGTERM")
    yield* process.ended
    return [
      { what: "10,000 idle resources: memory", value: seen.resident, unit: "MB", reach: { atMost: 150 } },
      { what: "10,000 idle resources: processor", value: seen.share, unit: "% of a core", reach: { atMost: 1 } }
    ] satisfies ReadonlyArray<Figure>
  }).pipe(Effect.scoped)

const millisUntil = <A>(event: Effect.Effect<A>) =>
  Effect.gen(function* () {
    const began = performance.now()
    yield* event
    return performance.now() - began
  })

export const start = (given: Given) =>
  Effect.gen(function* () {
    const orders = given.tiny ? 3 : 1_000
    const site = yield* openSite(given, { ...instant, bootMillis: longBoot })
    const { agent, simulators, untilCalled } = site
    yield* simulators.ask(commands.dataCentres, Math.ceil(orders / 100))
    yield* simulators.ask(commands.orderVms, 1)
    const first = yield* agent.start
    const cold = yield* millisUntil(untilCalled("POST marketplace-orders/{uuid}/approve_by_provider/", 1))
    yield* simulators.ask(commands.orderVms, orders - 1)
    yield* untilCalled("one.vm.action", orders)
    first.kill()
    yield* first.ended
    yield* simulators.ask(commands.forgetCalls, null)
    const last = yield* lastEntry(agent.dataDir)
    const waiting = yield* waited(agent.dataDir, last)
    const second = yield* agent.start
    const again = yield* millisUntil(
      Effect.zipRight(
        // The machine of each that waited for it has been looked at by then, ...
        Effect.repeat(simulators.ask(commands.countMachines, null), {
          until: (machines) => machines >= waiting,
          schedule: Schedule.spaced("5 millis")
        }),
        // ... and each of the others has written down where it is.
        untilWorked(agent.dataDir, orders - waiting, last)
      )
    )
    second.kill()
    return [
      {
        what: "Cold start to the first order taken",
        value: cold,
        unit: "ms",
        reach: { atMost: 700 },
        work: cold
      },
      {
        what: "Restart with 1,000 orders in work: until all are at work again",
        value: again,
        unit: "ms",
        reach: { atMost: 3_000 },
        work: again
      }
    ] satisfies ReadonlyArray<Figure>
  }).pipe(Effect.scoped)
