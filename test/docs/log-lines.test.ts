/** Every line of the log that docs/operations.md explains is one that the code can print, word for word. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"

const page = readFileSync("docs/operations.md", "utf8")
const section = /^## Found in the log$([\s\S]*?)^## /m.exec(page)?.[1] ?? ""

/** Said by a server or a library, and passed on. */
const passedOn = new Map([
  ["Waldur did not accept the call: Blocked organization is not available.", "Waldur"],
  ["Waldur did not accept the call: Modification of new resources in this project is not available ...", "Waldur"],
  ["Cannot dispatch VM: No hosts enabled to run VMs", "OpenNebula's scheduler"],
  ["Shard lock storage is unhealthy", "@effect/cluster"]
])

/** What stands in the first column of its tables. */
const lines = section
  .split("\n")
  .filter((row) => row.startsWith("| `"))
  .flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, line = ""]) => line))

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts") && !/^(simulator|kit|dashboard)\//.test(name))
  .map((name) => readFileSync(join("src", name), "utf8").replaceAll("\\`", "`"))

/** The parts between what differs, in one file. */
const isPrinted = (line: string): boolean => {
  const parts = line
    .split("...")
    .map((part) => part.trim())
    .filter((part) => /\w{3}/.test(part))
  return parts.length > 0 && sources.some((text) => parts.every((part) => text.includes(part)))
}

describe("the lines of the log that are explained", () => {
  it("are those that are printed", () => {
    expect(lines.length).toBeGreaterThan(80)
    expect(lines.filter((line) => !passedOn.has(line) && !isPrinted(line))).toEqual([])
    expect([...passedOn.keys()].filter((line) => !lines.includes(line))).toEqual([])
  })

  it("stand there once each", () => {
    expect(lines.filter((line, at) => lines.indexOf(line) !== at)).toEqual([])
  })
})
