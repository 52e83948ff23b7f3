import { describe, expect, it } from "vitest"
import { age, count, percent, span } from "../../src/dashboard/parts/format.js"

describe("what is written on the page", () => {
  it("says a stretch of time in its two largest units", () => {
    const stretches = [0, 840, 4_200, 5_000, 9_960, 12_400, 59_600, 200_000, 3_600_000, 18_720_000, 187_200_000]
    expect(stretches.map(span)).toEqual([
      "0 ms",
      "840 ms",
      "4.2 s",
      "5 s",
      "10 s",
      "12 s",
      "1 min",
      "3 min 20 s",
      "1 h",
      "5 h 12 min",
      "2 d 4 h"
    ])
  })

  it("says an age in one unit, and nothing of the future", () => {
    expect([-5, 59_999, 60_000, 7_200_000, 172_800_000].map(age)).toEqual(["0 s", "59 s", "1 min", "2 h", "2 d"])
  })

  it("counts in words", () => {
    expect([count(1, "order"), count(10_000, "order"), count(2, "retry", "retries")]).toEqual([
      "1 order",
      "10,000 orders",
      "2 retries"
    ])
    expect([0, 0.003, 0.42, 1].map(percent)).toEqual(["0 %", "0.3 %", "42 %", "100 %"])
  })
})
