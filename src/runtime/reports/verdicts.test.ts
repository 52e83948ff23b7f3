import { describe, expect, it } from "@effect/vitest"
import { ResourceId } from "../../core/index.js"
import { figuresOf, toReport } from "./figures.js"
import { type Told, verdictsOn } from "./verdicts.js"

const component = { type: "ram", name: "RAM", measuredUnit: "GB", unitFactor: 1024, accountingType: "limit" as const }
const resource = ResourceId.make("a".repeat(32))

describe("a figure", () => {
  it.each([
    ["a decimal", 102.4, 0.1],
    ["half a unit", 512, 0.5],
    ["an amount that has no end in decimals, to two of them", 1000, 0.98],
    ["a large one", 20_971_520, 20_480],
    ["nothing", 0, 0]
  ])("is in Waldur's units: %s", (_, amount, expected) => {
    expect(toReport(component, amount)).toBe(expected)
  })

  it("is converted by unit_factor_reporting, where there is one", () => {
    expect(toReport({ ...component, reportingUnitFactor: 3.6 }, 1)).toBe(0.28)
  })

  it("that could not be read is none, and never zero", () => {
    const figures = (amounts: Readonly<Record<string, number>>, problem?: string) =>
      figuresOf([component], { resource, amounts, ...(problem === undefined ? {} : { problem }) })
    expect(figures({}, "There is no group 7.")).toEqual([{ component: "ram", problem: "There is no group 7." }])
    expect(figuresOf([component], undefined)).toEqual([
      { component: "ram", problem: "The backend said nothing of it." }
    ])
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      expect(figures({ ram: odd })).toEqual([
        { component: "ram", problem: `The backend said ${odd}, which cannot be.` }
      ])
    }
  })
})

describe("what becomes of figures", () => {
  const day = 24 * 3_600_000
  const rules = { growing: new Set(["cpu_hours"]), omitAnomalous: false, now: 10 * day }
  const told = (all: Readonly<Record<string, Partial<Told>>>) =>
    new Map(Object.entries(all).map(([type, one]) => [type, { amount: 1, at: 9.5 * day, ...one }]))
  const outcomes = (
    amounts: Readonly<Record<string, number>>,
    before: ReadonlyMap<string, Told>,
    more: Partial<typeof rules> = {}
  ) =>
    verdictsOn(
      Object.entries(amounts).map(([type, amount]) => ({ component: type, amount })),
      before,
      { ...rules, ...more }
    ).map(({ _tag }) => _tag)

  it("only what has changed is sent", () => {
    expect(outcomes({ cpu: 1, ram: 2, disk: 3 }, told({ cpu: {}, ram: {} }))).toEqual(["Unchanged", "Send", "Send"])
  })

  it("an allocation may go down, also to nothing", () => {
    expect(outcomes({ cpu: 0 }, told({ cpu: {} }))).toEqual(["Send"])
  })

  it("hours that went down hold up the whole month, or are left out alone if the provider wants that", () => {
    const before = told({ cpu_hours: { amount: 10 }, ram: {} })
    expect(outcomes({ cpu_hours: 9, ram: 2 }, before)).toEqual(["Held", "Held"])
    expect(outcomes({ cpu_hours: 9, ram: 2 }, before, { omitAnomalous: true })).toEqual(["Held", "Send"])
    expect(outcomes({ cpu_hours: 11, ram: 2 }, before)).toEqual(["Send", "Send"])
  })

  it("what Waldur refused is not sent again, until it is another amount or another day", () => {
    const refused = told({ cpu: { refusal: "Type cpu is not valid." } })
    expect(outcomes({ cpu: 1 }, refused)).toEqual(["Refused"])
    expect(outcomes({ cpu: 2 }, refused)).toEqual(["Send"])
    expect(outcomes({ cpu: 1 }, refused, { now: 10.5 * day })).toEqual(["Send"])
  })
})
