import { describe, expect, it } from "@effect/vitest"
import { Duration } from "effect"
import { accepted, file, refused, withLine } from "./harness.js"

const withDrift = (text: string) => withLine("backend_type", `    backend_type: opennebula\n    drift: ${text}`)

describe("What is done about drift", () => {
  it("is to report it, unless the file says otherwise for that kind", async () => {
    const [plain] = (await accepted(file())).offerings
    expect(new Set(Object.values(plain?.drift ?? {}))).toEqual(new Set(["report"]))
    const [mending] = (await accepted(withDrift("{ quotas: repair }"))).offerings
    expect(mending?.drift).toMatchObject({ quotas: "repair", isolation: "report" })
  })

  it.each([
    ["{ quotas: mend }", "quotas"],
    ["{ colour: repair }", "colour"]
  ])("is refused with its place if it is no such thing: %s", async (text, key) => {
    const problems = await refused(withDrift(text))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`offerings[0].drift.${key}`)
  })

  it("is decided every ten minutes", async () => {
    expect(Duration.toMinutes((await accepted(file())).observationInterval)).toBe(10)
  })
})
