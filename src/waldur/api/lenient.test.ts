import { describe, expect, it } from "@effect/vitest"
import { Either, Option, Schema } from "effect"
import { Offering, Order, ProviderResource, uuidOf } from "./index.js"

const id = "0123456789abcdef0123456789abcdef"
const decodeOrder = Schema.decodeUnknownEither(Order)
const order = (fields: object) => decodeOrder({ uuid: id, type: "Create", state: "executing", ...fields })

describe("what Waldur answers", () => {
  it("a uuid is read in either spelling", () => {
    expect(uuidOf("01234567-89AB-CDEF-0123-456789ABCDEF")).toEqual(Option.some(id))
    expect(uuidOf("../../users")).toEqual(Option.none())
  })

  it("an order needs no more than its uuid, type and state", () => {
    expect(Either.getOrThrow(order({}))).toMatchObject({ limits: {}, attributes: {}, planUuid: Option.none() })
    expect(Either.isLeft(decodeOrder({ uuid: id, type: "Create" }))).toBe(true)
  })

  it("null stands for nothing, and fields from the future are ignored", () => {
    const read = order({ limits: null, attributes: null, plan_uuid: null, created: null, brand_new: { a: 1 } })
    expect(Either.getOrThrow(read)).toMatchObject({ limits: {}, attributes: {}, created: Option.none() })
  })

  it("a state from the future is kept as unknown", () => {
    expect(Either.getOrThrow(order({ state: "pending-moon", type: "Move" }))).toMatchObject({
      state: "unknown:pending-moon",
      type: "unknown:Move"
    })
  })

  it("an order's limits may be decimals in strings, and null is no limit", () => {
    expect(Either.getOrThrow(order({ limits: { cpu: "4.50", ram: 1024, gpu: null } })).limits).toEqual({
      cpu: 4.5,
      ram: 1024
    })
  })

  it("an order with a limit that is no number is not read as an order without it", () => {
    const limitsOf = (limits: unknown) => Either.getOrThrow(order({ limits })).limits
    expect(limitsOf({ cpu: "many", ram: {}, gpu: true, storage: "" })).toEqual({
      cpu: Number.NaN,
      ram: Number.NaN,
      gpu: Number.NaN,
      storage: Number.NaN
    })
    for (const none of [[4], "4", 4]) expect(limitsOf(none)).toEqual({ limits: Number.NaN })
  })

  it("a resource with garbage among its limits is still a resource", () => {
    const read = Schema.decodeUnknownSync(ProviderResource)({
      uuid: id,
      state: "OK",
      limits: { cpu: 4, nonsense: "abc" }
    })
    expect(read.limits).toEqual({ cpu: 4 })
  })

  it("a component's factor and billing are read under today's names and the older ones", () => {
    const read = Schema.decodeUnknownSync(Offering)({
      uuid: id,
      state: "Active",
      components: [
        { type: "ram", billing_type: "limit", factor: 1024 },
        { type: "cpu", accounting_type: "fixed", unit_factor: "2.5" },
        { type: "gpu", billing_type: "lease", factor: 0 }
      ]
    })
    expect(read.components.map(({ type, accountingType, unitFactor }) => [type, accountingType, unitFactor])).toEqual([
      ["ram", "limit", 1024],
      ["cpu", "fixed", 2.5],
      ["gpu", "unknown:lease", 1]
    ])
  })
})
