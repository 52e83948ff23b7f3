import { describe, expect, it } from "@effect/vitest"
import { Either, Schema } from "effect"
import { OfferingComponent } from "../../waldur/index.js"
import { components } from "./components.js"
import type { ComponentOverride } from "./model.js"

const inWaldur = (raw: Readonly<Record<string, unknown>>) =>
  Schema.decodeUnknownSync(OfferingComponent)({
    type: "ram",
    name: "RAM",
    measured_unit: "GB",
    billing_type: "limit",
    unit_factor: 1024,
    ...raw
  })
const offering = (overrides: Readonly<Record<string, ComponentOverride>>) => ({ name: "Cloud", components: overrides })

describe("Components of an offering", () => {
  it("are Waldur's where the file says nothing", () => {
    expect(components(offering({}), [inWaldur({})])).toEqual(
      Either.right([{ type: "ram", name: "RAM", measuredUnit: "GB", unitFactor: 1024, accountingType: "limit" }])
    )
  })

  it("take from the file what it has, and the rest from Waldur", () => {
    const overrides = { ram: { unitFactor: 1000, accountingType: "fixed" as const, keys: {} } }
    expect(components(offering(overrides), [inWaldur({})])).toEqual(
      Either.right([{ type: "ram", name: "RAM", measuredUnit: "GB", unitFactor: 1000, accountingType: "fixed" }])
    )
  })

  it("leave out what Waldur does not have, as a server can break on it", () => {
    const found = components(offering({ gpu: { unitFactor: 1, keys: {} } }), [inWaldur({})])
    expect(Either.map(found, (all) => all.map(({ type }) => type))).toEqual(Either.right(["ram"]))
  })

  it("are refused, each, where neither side says how they are billed", () => {
    const found = components(offering({}), [
      inWaldur({ billing_type: "barter" }),
      inWaldur({ type: "cpu", billing_type: "barter" })
    ])
    expect(Either.isLeft(found) && found.left.map((fault) => fault.message)).toEqual([
      'Waldur bills the component ram of offering "Cloud" in a way that is not known here (unknown:barter). Set backend_components.ram.accounting_type to usage, limit, fixed or one.',
      'Waldur bills the component cpu of offering "Cloud" in a way that is not known here (unknown:barter). Set backend_components.cpu.accounting_type to usage, limit, fixed or one.'
    ])
  })

  it("can be said by the file where Waldur's way of billing is not known", () => {
    const found = components(offering({ ram: { accountingType: "usage", keys: {} } }), [
      inWaldur({ billing_type: "barter" })
    ])
    expect(Either.isRight(found)).toBe(true)
  })
})
