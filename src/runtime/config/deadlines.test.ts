import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { dataDirOf } from "./data-dir.js"
import { accepted, file, refused, withLine } from "./harness.js"

const withDeadlines = (text: string) =>
  withLine("backend_type", `    backend_type: opennebula\n    order_deadlines: ${text}`)

describe("Deadlines of orders", () => {
  it("are generous if the file names none, and endings have none", async () => {
    const [offering] = (await accepted(file())).offerings
    expect(offering?.orderDeadlines).toEqual({
      create: Option.some(Duration.days(1)),
      update: Option.some(Duration.days(1)),
      terminate: Option.none()
    })
  })

  it("are written as people say them, each on its own", async () => {
    const [offering] = (await accepted(withDeadlines("{ create: 30m, terminate: 2h, update: never }"))).offerings
    expect(offering?.orderDeadlines).toEqual({
      create: Option.some(Duration.minutes(30)),
      update: Option.none(),
      terminate: Option.some(Duration.hours(2))
    })
  })

  it.each([
    ["{ create: 1s }", "create"],
    ["{ create: soon }", "create"],
    ["{ update: 1800 }", "update"],
    ["{ delete: 1h }", "delete"]
  ])("are refused with their place: %s", async (text, key) => {
    const problems = await refused(withDeadlines(text))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`offerings[0].order_deadlines.${key}`)
  })
})

describe("The journal's retention", () => {
  it("is 90 days if the file does not say otherwise", async () => {
    expect(Duration.toDays((await accepted(file())).journalRetention)).toBe(90)
    expect(Duration.toDays((await accepted(`journal_retention_days: 7\n${file()}`)).journalRetention)).toBe(7)
    expect(await refused(`journal_retention_days: 0\n${file()}`)).toHaveLength(1)
  })
})

describe("Where the journal is", () => {
  it("can be read from a file whose secrets are not at hand", () =>
    dataDirOf(`${import.meta.dirname}/../../../examples/config.yaml`).pipe(
      Effect.provide(NodeFileSystem.layer),
      Effect.map((directory) => expect(directory).toEqual(Option.some("/var/lib/site-actors"))),
      Effect.runPromise
    ))
})
