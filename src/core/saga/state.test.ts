import { describe, expect, it } from "@effect/vitest"
import { type JournalEntry, stepState } from "../index.js"

const told = (...events: ReadonlyArray<string>): ReadonlyArray<JournalEntry> =>
  events.map((event, at) => ({ step: "vm", event, at }))

describe("what the journal says of a step", () => {
  it.each([
    ["nobody has heard the end of its call", ["started"], true],
    ["its call had no answer", ["started", "interrupted"], true],
    ["its call had no answer, and the process that undid it has died", ["started", "interrupted", "undoing"], true],
    ["another agent has made it", ["started", "held back", "interrupted"], false],
    ["its call was answered", ["started", "failed", "undoing"], false]
  ])("a call may still come: %s", (_, events, may) => {
    expect(stepState(told(...events), "vm").unheardOf).toBe(may)
  })

  it("it has made nothing where another agent has, on the way back as well", () => {
    expect(stepState(told("started", "held back", "interrupted"), "vm").madeNothing).toBe(true)
    expect(stepState(told("started", "held back", "interrupted", "undoing"), "vm").madeNothing).toBe(true)
    expect(stepState(told("started", "held back", "interrupted", "started"), "vm").madeNothing).toBe(false)
  })

  it("it is undone until it is begun again", () => {
    expect(stepState(told("started", "finished", "undoing", "undone"), "vm").undone).toBe(true)
    expect(stepState(told("started", "finished", "undoing"), "vm").undone).toBe(false)
    expect(stepState(told("started", "finished", "undoing", "undone", "started"), "vm").undone).toBe(false)
  })
})
