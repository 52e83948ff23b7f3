import { describe, expect, it } from "vitest"
import { cut, fitted, padded, widthOf } from "./cells.js"
import { nameColumn, table } from "./table.js"

/** Where each cell of the second column begins, as a terminal shows it. */
const columnsBefore = (text: string, mark: string): ReadonlyArray<number> =>
  text
    .split("\n")
    .filter((line) => line.includes(mark))
    .map((line) => widthOf(line.slice(0, line.indexOf(mark))))

describe("a table", () => {
  it("keeps its columns beside letters that are two columns wide, and marks that have none", () => {
    const shown = table(
      [{ title: "name" }, { title: "state" }],
      [
        ["web", "@1"],
        ["数据中心", "@2"],
        ["Ὀδυσσεύς e\u0301te\u0301", "@3"],
        ["🚀 rocket 🇪🇪", "@4"],
        ["데이터센터", "@5"],
        ["مركز البيانات", "@6"]
      ]
    )
    expect(new Set(columnsBefore(shown, "@")).size).toBe(1)
  })

  it("cuts long names, by what they take on the screen", () => {
    const shown = table(
      [nameColumn("name"), { title: "state" }],
      [
        ["a".repeat(300), "@1"],
        ["数".repeat(150), "@2"],
        ["e\u0301".repeat(300), "@3"],
        ["short", "@4"]
      ]
    )
    expect(columnsBefore(shown, "@")).toEqual([42, 42, 42, 42])
    expect(shown).toContain(`${"a".repeat(37)}...`)
    expect(shown).toContain(`${"数".repeat(18)}...`)
  })

  it("has one line a row, whatever a name holds", () => {
    const shown = table([{ title: "name" }], [["a\nb\u001b[2Jc\u202ed\u009b31me\ud800"]])
    expect(shown).toBe(`name\n${"-".repeat(16)}\na b?[2Jc?d?31me?`)
  })
})

describe("text in columns", () => {
  it("is not split within a letter", () => {
    expect(fitted("数据", 3)).toBe("数")
    expect(fitted("🇪🇪🇪🇪", 3)).toBe("🇪🇪")
    expect(cut("ab", 2)).toBe("ab")
    expect(cut("数据中心", 7)).toBe("数据...")
    expect(padded("数", 4, "right")).toBe("  数")
  })

  it("has no letter with marks piled up over other lines", () => {
    expect(fitted(`a${"\u0301".repeat(500)}b`, 10)).toBe(`a${"\u0301".repeat(8)}b`)
  })
})
