import { describe, expect, it } from "vitest"
import { barsOf, marksOf, stepsOf } from "./timeline.js"

let at = 0
const entry = (step: string, event: string, data?: unknown) => ({
  step,
  event,
  at: ++at,
  ...(data === undefined ? {} : { data })
})
const story = (...events: ReadonlyArray<readonly [string, unknown?]>) => {
  at = 0
  return events.map(([event, data]) => entry("group", event, data))
}
const short = (bars: ReturnType<typeof barsOf>) =>
  bars.map(({ kind, from, to, outcome, error }) => `${kind} ${from}-${to ?? "now"} ${outcome ?? ""} ${error}`.trim())

describe("a step on the timeline", () => {
  it("is one bar from its start to its end", () => {
    expect(short(barsOf(story(["started"], ["finished", 105]), null))).toEqual(["doing 1-2 finished"])
    expect(short(barsOf(story(["started"]), null))).toEqual(["doing 1-now"])
  })

  it("shows each attempt, what went wrong, and the wait between", () => {
    expect(
      short(barsOf(story(["started"], ["interrupted", "no answer"], ["started"], ["failed", "quota"]), null))
    ).toEqual(["doing 1-2 interrupted no answer", "waiting 2-3", "doing 3-4 failed quota"])
    expect(short(barsOf(story(["started"], ["interrupted", "no answer"]), null))).toEqual([
      "doing 1-2 interrupted no answer",
      "waiting 2-now"
    ])
  })

  it("shows what was found as an earlier attempt had left it", () => {
    expect(short(barsOf(story(["started"], ["interrupted", "cut"], ["adopted", 105]), null))).toEqual([
      "doing 1-2 interrupted cut",
      "waiting 2-3",
      "doing 3-3 adopted"
    ])
    expect(short(barsOf(story(["started"], ["adopted", 105]), null))).toEqual(["doing 1-2 adopted"])
  })

  it("shows where the process died", () => {
    expect(short(barsOf(story(["started"], ["started"], ["finished"]), null))).toEqual([
      "doing 1-2 interrupted Nothing was written of its end: the agent stopped in between.",
      "doing 2-3 finished"
    ])
  })

  it("shows its undoing, and what could not be undone", () => {
    expect(short(barsOf(story(["started"], ["finished"], ["undoing"], ["undo-failed", "in use"]), 9))).toEqual([
      "doing 1-2 finished",
      "undoing 3-4 undo-failed in use"
    ])
    const [step] = stepsOf(story(["started"], ["finished", 105], ["undoing"], ["undo-failed", "in use"]), [], 9)
    expect(step).toMatchObject({ name: "group", status: "left over", result: "105", calls: 0 })
  })

  it("ends with its order", () => {
    expect(short(barsOf(story(["started"]), 7))).toEqual(["doing 1-7"])
    expect(short(barsOf(story(["started"], ["interrupted", "cut"]), 7))).toEqual(["doing 1-2 interrupted cut"])
  })

  it("counts the calls that were made in it", () => {
    const call = { at: 1, system: "opennebula", call: "one.group.allocate", about: "", ms: 3, outcome: "ok" }
    const calls = [
      { ...call, step: "group" },
      { ...call, step: null }
    ]
    expect(stepsOf(story(["started"]), calls, null)[0]).toMatchObject({ status: "in work", calls: 1 })
  })
})

describe("an order on the timeline", () => {
  it("is marked by what concerns it as a whole, in words", () => {
    at = 0
    const entries = [
      entry("order", "accepted", { offering: "f" }),
      entry("group", "started"),
      entry("order", "failed", { customerMessage: "There is no room.", detail: "0x0400" }),
      entry("order", "erred")
    ]
    expect(marksOf(entries)).toEqual([
      { at: 1, event: "accepted", text: "" },
      { at: 3, event: "failed", text: "There is no room." },
      { at: 4, event: "erred", text: "" }
    ])
  })
})
