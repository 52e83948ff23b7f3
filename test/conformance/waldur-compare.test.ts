import { describe, expect, it } from "@effect/vitest"
import { differences, emptyCorrespondence } from "./waldur-compare.js"
import type { Recording, Value } from "./waldur-recordings.js"

const one = "a".repeat(32)
const other = "b".repeat(32)

const recording = (json: Value, headers: { readonly [name: string]: string } = {}): Recording => ({
  id: "made-up",
  name: "made-up",
  as: "agent",
  request: { method: "GET", url: "http://recorded:1/api/x/", path: "/api/x/", headers: {}, body: null },
  response: { status: 200, headers, json, text: null }
})

const answer = (json: Value, headers: { readonly [name: string]: string } = {}, status = 200) => ({
  status,
  headers: new Headers(headers),
  text: JSON.stringify(json)
})

const compare = (recorded: Value, simulated: Value) =>
  differences(recording(recorded), answer(simulated), emptyCorrespondence(), "http://here:2")

describe("the comparison of a recorded with a simulated answer", () => {
  it("takes addresses, instants and uuids for their counterparts", () => {
    const recorded = { url: `http://recorded:1/api/x/${one}/`, created: "2026-11-22T20:56:20.371464Z", uuid: one }
    const here = { url: `http://here:2/api/x/${other}/`, created: "2027-01-01T00:00:00.000000Z", uuid: other }
    expect(compare(recorded, here)).toEqual([])
  })

  it("notices a uuid that stands for two", () => {
    expect(compare([one, one], [other, "c".repeat(32)])).toHaveLength(1)
    expect(compare([one, other], ["c".repeat(32), "c".repeat(32)])).toHaveLength(1)
  })

  it("notices a missing key, a surplus key, null for absent, another text, number or length", () => {
    expect(compare({ a: 1, b: 2 }, { a: 1 })).toHaveLength(1)
    expect(compare({ a: 1 }, { a: 1, b: 2 })).toHaveLength(1)
    expect(compare({}, { a: null })).toHaveLength(1)
    expect(compare({ detail: "Invalid page." }, { detail: "Not found." })).toHaveLength(1)
    expect(compare({ a: 1 }, { a: "1" })).toHaveLength(1)
    expect(compare([1], [1, 2])).toHaveLength(1)
  })

  it("notices another status and another or missing header", () => {
    const known = emptyCorrespondence()
    const recorded = recording([], { "X-Result-Count": "2" })
    expect(differences(recorded, answer([], { "X-Result-Count": "2" }, 404), known, "http://here:2")).toHaveLength(1)
    expect(differences(recorded, answer([], { "X-Result-Count": "3" }), known, "http://here:2")).toHaveLength(1)
    expect(differences(recorded, answer([]), known, "http://here:2")).toHaveLength(1)
  })

  it("looks past an order's progress in creation_order only", () => {
    const before = { creation_order: { state: "executing", type: "Create" } }
    expect(compare(before, { creation_order: { state: "done", type: "Create" } })).toEqual([])
    expect(compare(before, { creation_order: { state: "done", type: "Update" } })).toHaveLength(1)
    expect(
      compare({ order_in_progress: { state: "executing" } }, { order_in_progress: { state: "done" } })
    ).toHaveLength(1)
  })
})
