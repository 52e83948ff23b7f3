import { describe, expect, it } from "vitest"
import { CallWindows } from "./windows.js"

const minute = 60_000

describe("the calls of the last day", () => {
  it("are counted by minute, with percentiles that are off by a twentieth at most", () => {
    const windows = new CallWindows()
    for (let n = 1; n <= 1000; n++) windows.add("opennebula", 10 * minute + n, n, n % 10 !== 0)
    windows.add("opennebula", 11 * minute, 5_000, true)
    const { calls, errors, p50, p95 } = windows.window("opennebula", 10 * minute, 11 * minute)
    expect({ calls, errors }).toEqual({ calls: 1000, errors: 100 })
    expect(Math.abs((p50 ?? 0) - 500) / 500).toBeLessThan(0.05)
    expect(Math.abs((p95 ?? 0) - 950) / 950).toBeLessThan(0.05)
    expect(windows.window("opennebula", 10 * minute, 12 * minute).calls).toBe(1001)
  })

  it("are nothing where there were none", () => {
    expect(new CallWindows().window("waldur", 0, 60 * minute)).toEqual({ calls: 0, errors: 0, p50: null, p95: null })
  })

  it("take calls of no time, and of hours", () => {
    const windows = new CallWindows()
    windows.add("waldur", 0, 0, true)
    windows.add("waldur", 0, 7_200_000, true)
    const { p50, p95 } = windows.window("waldur", 0, minute)
    expect(p50).toBe(0.1)
    expect(Math.abs((p95 ?? 0) / 7_200_000 - 1)).toBeLessThan(0.05)
  })

  it("are forgotten after a day", () => {
    const windows = new CallWindows()
    windows.add("waldur", 0, 1, true)
    windows.add("waldur", 26 * 60 * minute, 1, true)
    expect(windows.window("waldur", 0, 27 * 60 * minute).calls).toBe(1)
  })
})
