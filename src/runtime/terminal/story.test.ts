import { describe, expect, it } from "@effect/vitest"
import { wholeOrder } from "../../core/index.js"
import { summaryOf } from "../journal/history.js"
import { storyLines } from "./story.js"
import { table } from "./table.js"
import { span, when } from "./times.js"

const entry = (at: number, step: string, event: string, data?: unknown) => ({
  at,
  step,
  event,
  ...(data === undefined ? {} : { data })
})
const accepted = entry(0, wholeOrder, "accepted", { offering: "f".repeat(32), approve: false })
const summary = (...entries: ReadonlyArray<ReturnType<typeof entry>>) =>
  summaryOf("order", "resource", [accepted, ...entries])

describe("an order in short", () => {
  it("says what it is doing, or what it waits for", () => {
    expect(summary(entry(5, "group", "started"))).toMatchObject({ state: "executing", since: 0, last: "group started" })
    expect(summary(entry(5, "group", "started"), entry(9, "group", "interrupted", "connection refused"))).toMatchObject(
      {
        state: "waits",
        lastAt: 9,
        last: "group interrupted: connection refused"
      }
    )
  })

  it("says why it failed, while it is undone and after that", () => {
    const failed = entry(5, wholeOrder, "failed", { customerMessage: "No more quota.", detail: "0x0800" })
    expect(summary(failed, entry(6, "group", "undoing"))).toMatchObject({ state: "undoing", last: "No more quota." })
    expect(summary(failed, entry(7, wholeOrder, "undone"), entry(8, wholeOrder, "erred"))).toMatchObject({
      state: "erred",
      last: "No more quota."
    })
    expect(summary(failed, entry(8, wholeOrder, "erred"), { ...accepted, at: 10 })).toMatchObject({
      state: "executing",
      since: 10
    })
  })

  it("is quarantined until it is tried again", () => {
    const defect = entry(5, wholeOrder, "quarantined", "TypeError: x")
    expect(summary(defect)).toMatchObject({ state: "quarantined", last: "TypeError: x" })
    expect(summary(defect, entry(6, wholeOrder, "resumed")).state).toBe("executing")
  })
})

describe("an order's story", () => {
  it("has one line for each attempt at a step, with the time it took and what came of it", () => {
    const lines = storyLines([
      accepted,
      entry(10, "group", "started"),
      entry(12, "network", "started"),
      entry(40, "group", "finished", { id: 100 }),
      entry(50, "network", "interrupted", "reset"),
      entry(70, "network", "started"),
      entry(80, "network", "adopted", 7),
      entry(90, wholeOrder, "failed", { customerMessage: "No.", detail: "why" }),
      entry(91, "group", "undoing"),
      entry(99, "group", "undo-failed", "in use")
    ])
    expect(lines.map(({ step, millis, event, detail }) => [step, millis, event, detail])).toEqual([
      [wholeOrder, undefined, "accepted", ""],
      ["group", 30, "finished", '{"id":100}'],
      ["network", 38, "interrupted", "reset"],
      ["network", 10, "adopted", "7"],
      [wholeOrder, undefined, "failed", "No. - why"],
      ["group", 8, "undo-failed", "in use"]
    ])
  })
})

describe("a table", () => {
  it("keeps one line a row, whatever a name holds", () => {
    expect(table([{ title: "name" }, { title: "n", align: "right" }], [["a\n\u001b[2Jb", "10"]])).toBe(
      ["name      n", "-------  --", "a ?[2Jb  10"].join("\n")
    )
  })

  it("has times that people read", () => {
    expect(when(Date.UTC(2026, 10, 23, 4, 49, 26))).toBe("2026-11-23 04:49:26")
    expect([12, 1_440, 185_000, 7_440_000, 86_400_000 * 5 + 3_600_000 * 3].map(span)).toEqual([
      "12 ms",
      "1.4 s",
      "3 min 5 s",
      "2 h 4 min",
      "5 d 3 h"
    ])
  })
})
