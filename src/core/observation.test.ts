import { describe, expect, it } from "@effect/vitest"
import type { Component } from "./components.js"
import { differences, type ExpectedResource, type Finding, type Observation } from "./observation.js"
import { ResourceId } from "./orders.js"

const id = ResourceId.make("a".repeat(32))
const components: ReadonlyArray<Component> = [
  { type: "cpu", name: "CPU", measuredUnit: "cores", unitFactor: 1, accountingType: "limit" },
  { type: "ram", name: "RAM", measuredUnit: "GB", unitFactor: 1024, accountingType: "limit" }
]
const expected = (more: Partial<ExpectedResource> = {}): ExpectedResource => ({
  id,
  backendId: "100",
  name: "acme",
  slug: "acme",
  amounts: { cpu: 4, ram: 16_384 },
  standing: "active",
  ...more
})
type Present = Observation & { readonly _tag: "Present" }
const present = (more: Partial<Present> = {}): Present => ({
  _tag: "Present",
  resource: id,
  state: "Running",
  healthy: true,
  amounts: { cpu: 4, ram: 16_384 },
  measures: "quotas",
  mayExceed: [],
  standing: { standing: "active", complete: true, detail: "" },
  standings: ["active", "paused"],
  findings: [],
  facts: {},
  ...more
})
const sentences = (wanted: ExpectedResource, found: Observation) =>
  differences(wanted, found, components).map(({ kind, sentence }) => `${kind}: ${sentence}`)

describe("A resource that is as Waldur says", () => {
  it("has no differences, hundredths of a core and components without an expectation apart", () => {
    expect(sentences(expected(), present())).toEqual([])
    expect(sentences(expected(), present({ amounts: { cpu: 4.0049, ram: 16_384 } }))).toEqual([])
    expect(sentences(expected({ amounts: {} }), present())).toEqual([])
  })
})

describe("A difference", () => {
  it("of amounts is told in the offering's units", () => {
    expect(sentences(expected(), present({ amounts: { cpu: 4, ram: 8192 } }))).toEqual([
      "quotas: RAM is 16 GB in Waldur and 8 GB in the cloud."
    ])
    expect(sentences(expected(), present({ amounts: { cpu: 4.01, ram: Number.POSITIVE_INFINITY } }))).toEqual([
      "quotas: CPU is 4 cores in Waldur and 4.01 cores in the cloud.",
      "quotas: RAM is 16 GB in Waldur and no limit in the cloud."
    ])
  })

  it("is none where more than ordered is as it should be, and is one where it is less", () => {
    const disk = { measures: "sizes", mayExceed: ["ram"] } as const
    expect(sentences(expected(), present({ ...disk, amounts: { ram: 20_000 } }))).toEqual([])
    expect(sentences(expected(), present({ ...disk, amounts: { ram: 1024 } }))).toEqual([
      "sizes: RAM is 16 GB in Waldur and 1 GB in the cloud."
    ])
  })

  it("of health is told once, by what the backend found if it found something", () => {
    const router: Finding = {
      kind: "state",
      subject: "router 1",
      expected: "Running",
      found: "Poweroff",
      mendable: true
    }
    expect(sentences(expected(), present({ healthy: false, state: "BootFailure" }))).toEqual([
      "state: Its state in the cloud is BootFailure."
    ])
    expect(sentences(expected(), present({ healthy: false, findings: [router] }))).toEqual([
      "state: router 1: Running expected, Poweroff found."
    ])
  })

  it("of standing is told with how far it has got, and whether it can be done at all", () => {
    const half = { standing: "paused", complete: false, detail: "2 machines run" } as const
    expect(sentences(expected({ standing: "paused" }), present({ standing: half }))).toEqual([
      "standing: It is paused in Waldur and paused, but 2 machines run in the cloud."
    ])
    expect(sentences(expected({ standing: "downscaled" }), present())).toEqual([
      "standing: It is downscaled in Waldur, which this offering's backend cannot carry out."
    ])
    expect(sentences(expected(), present({ standing: { ...half, complete: true } }))).toEqual([
      "standing: It is active in Waldur and paused in the cloud."
    ])
  })

  it("of owner, of being there at all, and of a project that is over", () => {
    expect(sentences(expected(), { _tag: "Missing", resource: id })).toEqual([
      "missing: Neither its backend id 100 nor its owner tag leads to anything in the cloud."
    ])
    expect(sentences(expected(), { _tag: "Foreign", resource: id, object: "group 100", owner: "resource b" })).toEqual([
      "owner: Its backend id 100 leads to group 100, which belongs to resource b."
    ])
    expect(sentences(expected({ projectEnded: "2026-10-31" }), present())).toEqual([
      "project: Its project ended on 2026-10-31: Waldur has not ordered its end yet."
    ])
  })
})
