import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { accepted, file } from "../config/harness.js"
import { ConfigInvalid } from "../config/index.js"
import { lines } from "./harness.js"
import { asJson, type CheckRow, checkAll, exitCode, fileRefused, renderTable } from "./index.js"

describe("The report", () => {
  const rows: ReadonlyArray<CheckRow> = [
    { about: "config.yaml", subject: "file", status: "ok", detail: "It is valid, and has 1 offering." },
    { about: "Cloud", subject: "Waldur", status: "ok", detail: "fine" },
    { about: "Cloud", subject: "template 7", status: "failed", detail: "It is\nnot \u001b[31mthere." },
    { about: "Cloud", subject: "network", status: "warning", detail: "It is small." }
  ]

  it("is a table with aligned columns, and nothing that a server wrote moves the cursor", () => {
    expect(renderTable(rows, { colours: false })).toBe(
      [
        "config.yaml",
        "  ok       file        It is valid, and has 1 offering.",
        "",
        "Cloud",
        "  ok       Waldur      fine",
        "  FAILED   template 7  It is not ?[31mthere.",
        "  warning  network     It is small.",
        "",
        "2 ok, 1 warning, 1 failed",
        ""
      ].join("\n")
    )
  })

  it("has colours only where asked for", () => {
    expect(renderTable(rows, { colours: true })).toContain("\u001b[31mFAILED \u001b[0m")
    expect(renderTable(rows.slice(0, 1), { colours: false })).not.toContain("\u001b")
  })

  it("is data for programs, and fails as a whole if a row does", () => {
    expect(asJson(rows)).toEqual({ ok: false, rows })
    expect(exitCode(rows)).toBe(1)
    expect(exitCode(rows.filter((row) => row.status !== "failed"))).toBe(0)
  })

  it("has a row for each error of a file that is wrong", () => {
    const problem = { path: "offerings[0].name", position: { line: 2, column: 5 }, what: "is missing" }
    expect(lines(fileRefused(new ConfigInvalid({ file: "c.yaml", problems: [problem] })))).toEqual([
      "failed: line 2: offerings[0].name is missing."
    ])
  })

  it("names what is odd about a file that is right", async () => {
    const config = await accepted(file((all) => [...all, "    verify_ssl: off"]))
    const found = await Effect.runPromise(checkAll(config, []))
    expect(lines(found)).toEqual([
      "ok: file: It is valid, and has 1 offering.",
      "warning: line 11: offerings[0].verify_ssl is off: anybody on the way can read the token. Set ca_file instead."
    ])
  })
})
