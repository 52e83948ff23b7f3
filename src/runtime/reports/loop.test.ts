import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Logger, Random, TestClock } from "effect"
import { cpu, makeReported, resourceOf } from "../../../test/support/reports.js"
import { NotYet } from "../../core/index.js"
import { Activities } from "../activity.js"
import { reportUsage } from "./loop.js"
import { UsageMemory } from "./memory.js"

/** The reports of an offering, every half hour, begun now; remembered by Waldur alone. */
const running = Effect.gen(function* () {
  // Of a month in its first hours nothing is told.
  if ((yield* Clock.currentTimeMillis) === 0) yield* TestClock.setTime(Date.parse("2026-11-10T00:00:00Z"))
  const { site, reporter } = makeReported([cpu])
  const logged: Array<string> = []
  const gate = yield* Effect.makeLatch(true)
  const options = { timezone: "UTC", periods: 1, omitAnomalous: false }
  yield* reportUsage({ ...reporter, health: { passed: gate.await } }, options, "30 minutes").pipe(
    Effect.provide(UsageMemory.none),
    Effect.provide(Activities.layer),
    Effect.provide(
      Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${message}`))
      )
    ),
    Effect.forkScoped
  )
  yield* TestClock.adjust("1 second")
  const reads = () => site.asked.filter((what) => what === "backend usage").length
  return { site, logged, gate, reads }
})

describe("the schedule of usage reports", () => {
  it.scoped("begins at once, and goes on at the interval", () =>
    Effect.gen(function* () {
      const { reads } = yield* running
      expect(reads()).toBe(1)
      // Jittered by a fifth.
      yield* TestClock.adjust("23 minutes")
      expect(reads()).toBe(1)
      yield* TestClock.adjust("14 minutes")
      expect(reads()).toBe(2)
      yield* TestClock.adjust("10 hours")
      expect(reads()).toBeGreaterThan(18)
      expect(reads()).toBeLessThan(26)
    })
  )

  it.scoped("has a turn shortly before a month is over", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-30T23:40:00Z"))
      const { site, reads } = yield* running
      yield* TestClock.adjust("12 minutes")
      expect(reads()).toBe(1)
      site.now.set("101", { cpu: 7 })
      yield* TestClock.adjust("3 minutes")
      expect(reads()).toBe(2)
      expect(site.told.at(-1)).toMatchObject({ usages: [{ type: "cpu", amount: 7 }] })
      expect(site.told.at(-1)?.date?.slice(0, 10)).toBe("2026-11-30")
      // And then as ever.
      yield* TestClock.adjust("20 minutes")
      expect(reads()).toBe(2)
      yield* TestClock.adjust("17 minutes")
      expect(reads()).toBe(3)
    })
  )

  it.scoped("does not wait for the next turn when something failed that may pass", () =>
    Effect.gen(function* () {
      const { site, reads, logged } = yield* running
      site.backendError = new NotYet({ reason: "OpenNebula is away." })
      yield* TestClock.adjust("36 minutes")
      const tries = reads()
      expect(logged.some((line) => line.startsWith("WARN Usage not reported in full: OpenNebula is away."))).toBe(true)
      expect(tries).toBeGreaterThan(2)
      site.backendError = undefined
      yield* TestClock.adjust("13 minutes")
      expect(reads()).toBe(tries + 1)
      expect(logged.at(-1)).toBe("INFO Usage reported: 1 unchanged")
      // One draw of the jitter: a turn that comes latest of all leaves no time for a second try.
    }).pipe(Effect.withRandom(Random.make("usage")))
  )

  it.scoped("rests while the offering is stopped", () =>
    Effect.gen(function* () {
      const { reads, gate } = yield* running
      yield* gate.close
      yield* TestClock.adjust("5 hours")
      expect(reads()).toBe(1)
      yield* gate.open
      yield* TestClock.adjust("1 second")
      expect(reads()).toBe(2)
    })
  )

  it.scoped("survives a bug, and says so", () =>
    Effect.gen(function* () {
      const { site, reads, logged } = yield* running
      site.bug = true
      yield* TestClock.adjust("40 minutes")
      expect(logged.some((line) => line.startsWith("ERROR A bug in the usage report"))).toBe(true)
      site.bug = false
      const before = reads()
      yield* TestClock.adjust("40 minutes")
      // Two, if both turns come early.
      expect(reads()).toBeGreaterThan(before)
    })
  )

  it.scoped("names what cannot be read once, not at every report", () =>
    Effect.gen(function* () {
      const { site, logged } = yield* running
      site.resources = [resourceOf(9)]
      yield* TestClock.adjust("5 hours")
      expect(logged.filter((line) => line.includes("not read"))).toHaveLength(
        logged.filter((line) => line.startsWith("INFO Usage reported: 1 not read")).length + 1
      )
      expect(logged.filter((line) => line.startsWith("WARN Usage of cpu"))).toHaveLength(1)
    })
  )
})
