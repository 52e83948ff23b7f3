import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { AnswerTooLarge, type HistoryRecord } from "../opennebula/index.js"
import { accountsIn, readRecords, secondsIn } from "./accounting.js"

const hour = 3600
const record = (fields: Partial<HistoryRecord> = {}): HistoryRecord => ({
  vmId: 1,
  sequence: 0,
  startedAt: 0,
  endedAt: hour,
  gid: 100,
  cpu: 2,
  vcpu: 4,
  memory: 1024,
  disks: [2048, 1024],
  vmStartedAt: 0,
  ownerResource: Option.none(),
  ...fields
})
const span = { from: 10 * hour * 1000, until: 20 * hour * 1000 }
const day = 24 * hour * 1000

describe("a record counts in a span", () => {
  it.each([
    ["from the span's beginning to its end", { startedAt: 5 * hour, endedAt: 25 * hour }, 10 * hour],
    ["not before it began", { startedAt: 12 * hour, endedAt: 25 * hour }, 8 * hour],
    ["not after it ended", { startedAt: 5 * hour, endedAt: 13 * hour }, 3 * hour],
    ["not at all if it ended before", { startedAt: 5 * hour, endedAt: 9 * hour }, 0],
    ["not at all if it ended as the span began", { startedAt: 5 * hour, endedAt: 10 * hour }, 0],
    ["not at all if it began later", { startedAt: 21 * hour, endedAt: 22 * hour }, 0],
    ["to the end if it has not ended and the span is over", { startedAt: 19 * hour, endedAt: 0 }, hour]
  ])("%s", (_, times, seconds) => {
    expect(secondsIn(span, times, day)).toBe(seconds)
  })

  it("until now if neither has ended, and never less than nothing", () => {
    expect(secondsIn(span, { startedAt: 12 * hour, endedAt: 0 }, 13.5 * hour * 1000)).toBe(1.5 * hour)
    expect(secondsIn(span, { startedAt: 14 * hour, endedAt: 0 }, 13.5 * hour * 1000)).toBe(0)
  })
})

describe("accounts", () => {
  const all = { from: 0, until: day }
  const byVm = (records: ReadonlyArray<HistoryRecord>) => accountsIn(all, records, day, ({ vmId }) => vmId)

  it("count each size for as long as it lasted", () => {
    const grown = record({ sequence: 1, startedAt: hour, endedAt: 4 * hour, cpu: 0.5, vcpu: 1, memory: 512, disks: [] })
    expect(byVm([record(), grown]).get(1)).toEqual({
      amounts: { cpu_hours: 3.5, vcpu_hours: 7, ram_hours: 2560, storage_hours: 3072, vm_hours: 4 }
    })
  })

  it("have no figure, rather than a wrong one, where a size cannot be read", () => {
    const odd = record({ sequence: 1, memory: 0, disks: [1024, 0] })
    expect(byVm([record(), odd, record({ vmId: 2 })]).get(1)).toEqual({
      amounts: { cpu_hours: 4, vcpu_hours: 8, vm_hours: 2 },
      problem: "OpenNebula's accounts have no size for ram_hours of VM 1, storage_hours of VM 1."
    })
    expect(byVm([odd, record({ vmId: 2 })]).get(2)?.amounts.ram_hours).toBe(1024)
  })

  it("are nobody's where there is no owner", () => {
    expect(accountsIn(all, [record()], day, () => undefined).size).toBe(0)
  })
})

describe("accounts that are too large for one answer", () => {
  it.effect("are read in pieces, and what lies in two of them counts once", () =>
    Effect.gen(function* () {
      const records = [0, 1, 2, 3].map((n) => record({ vmId: n, startedAt: n * 6 * hour, endedAt: (n + 2) * 6 * hour }))
      const asked: Array<number> = []
      yield* TestClock.setTime(day)
      const accounting = (from: number, until: number) => {
        asked.push(until - from)
        const found = records.filter(({ startedAt, endedAt }) => startedAt < until && endedAt > from)
        return found.length > 2
          ? Effect.fail(new AnswerTooLarge({ method: "one.vmpool.accounting", endpoint: "", limitBytes: 1 }))
          : Effect.succeed(found)
      }
      const found = yield* readRecords({ vm: { accounting } }, [{ from: 0, until: day }])
      expect(found.map(({ vmId }) => vmId).toSorted()).toEqual([0, 1, 2, 3])
      expect(asked.length).toBeGreaterThan(2)
    })
  )
})
