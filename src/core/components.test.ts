import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import fc from "fast-check"
import { amountsFromWaldur, amountsToWaldur, type Component, printable, toBackend, toWaldur } from "./index.js"

const component = (type: string, unitFactor: number, measuredUnit = "GB"): Component => ({
  type,
  name: type.toUpperCase(),
  measuredUnit,
  unitFactor,
  accountingType: "limit"
})
const cpu = component("cpu", 1, "cores")
const ram = component("ram", 1024)

const refused = (limits: Readonly<Record<string, number>>) =>
  Effect.map(Effect.flip(amountsFromWaldur([cpu, ram], limits)), (error) => error.customerMessage)

describe("units", () => {
  it("convert in both directions: 16 GB with factor 1024 is 16384 MB", () => {
    expect(toBackend(ram, 16)).toBe(16384)
    expect(toWaldur(ram, 16384)).toBe(16)
  })

  it("keep decimals as decimals", () => {
    expect(toBackend(ram, 0.1)).toBe(102.4)
    expect(toBackend({ unitFactor: 3 }, 0.1)).toBe(0.3)
    expect(toWaldur({ unitFactor: 3 }, 1)).toBe(0.3333333333)
    expect(toWaldur(ram, 1536)).toBe(1.5)
  })

  it("come back unchanged, whatever is ordered in halves and tenths", () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), fc.constantFrom(1, 2, 10, 1000, 1024), (tenths, factor) => {
        const amount = tenths / 10
        expect(toWaldur({ unitFactor: factor }, toBackend({ unitFactor: factor }, amount))).toBe(amount)
      })
    ))

  it.effect("are applied to all limits of an order, and back", () =>
    Effect.gen(function* () {
      const amounts = yield* amountsFromWaldur([cpu, ram], { cpu: 4, ram: 1.5 })
      expect(amounts).toEqual({ cpu: 4, ram: 1536 })
      expect(amountsToWaldur([cpu, ram], { ...amounts, unknown: 7 })).toEqual({ cpu: 4, ram: 1.5 })
    })
  )
})

describe("limits that cannot be", () => {
  it.effect("name the component that the offering does not have, and those it has", () =>
    Effect.gen(function* () {
      expect(yield* refused({ gpu: 1 })).toBe(
        'The order asks for "gpu", which this offering does not have; it has: cpu, ram.'
      )
    })
  )

  it.effect("say what was ordered", () =>
    Effect.gen(function* () {
      expect(yield* refused({ cpu: -1 })).toBe("The amount of CPU must not be negative, but -1 cores was ordered.")
      expect(yield* refused({ ram: 1e12 })).toBe("The amount of RAM is too large: 1000000000000 GB was ordered.")
      expect(yield* refused({ ram: Number.NaN })).toBe("The amount of RAM is not a number.")
      expect(yield* refused({ ram: Number.POSITIVE_INFINITY })).toBe("The amount of RAM is not a number.")
    })
  )

  it("cannot forge a line in a sentence", () => {
    expect(printable("a\nb\u001b[31m")).toBe("a?b?[31m")
    expect(printable("x".repeat(100))).toBe(`${"x".repeat(61)}...`)
  })
})
