import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { countOf } from "./counts.js"

describe("a count", () => {
  it("is said as people say it", () => {
    expect([0, 1, 2].map((amount) => countOf(amount, "order"))).toEqual(["0 orders", "1 order", "2 orders"])
    expect([1, 3].map((amount) => countOf(amount, "entry", "entries"))).toEqual(["1 entry", "3 entries"])
  })

  it("leaves no brackets to the reader", () => {
    const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) =>
      /^(core|runtime|waldur|opennebula|kit)\/.*(?<!\.test)\.ts$/.test(name)
    )
    expect(files.length).toBeGreaterThan(100)
    const found = files.flatMap((name) =>
      readFileSync(`src/${name}`, "utf8")
        .split("\n")
        .filter((line) => /\} [a-z]+\(s\)/.test(line))
        .map((line) => `${name}: ${line.trim()}`)
    )
    expect(found).toEqual([])
  })
})
