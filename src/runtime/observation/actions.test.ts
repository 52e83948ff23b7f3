import { describe, expect, it } from "@effect/vitest"
import { type Difference, type Observation, ResourceId } from "../../core/index.js"
import { actionsFor, type Looked, policyFor } from "./actions.js"

const resource = ResourceId.make("a".repeat(32))
const missing: Observation = { _tag: "Missing", resource }
const there: Observation = {
  _tag: "Present",
  resource,
  state: "Running",
  healthy: true,
  amounts: {},
  measures: "sizes",
  mayExceed: [],
  standing: { standing: "active", complete: true, detail: "" },
  standings: ["active", "paused"],
  findings: [],
  facts: {}
}
const looked = (observation: Observation, record: Partial<Looked["record"]>, more: Partial<Looked> = {}): Looked => ({
  observation,
  differences: [],
  standing: "active",
  record: { marketplaceState: "OK", misses: 0, erred: false, ...record },
  ...more
})
const tags = (one: Looked) =>
  actionsFor(one).map((action) => ("kind" in action ? `${action._tag} ${action.kind}` : action._tag))
const difference = (kind: Difference["kind"], mendable = true): Difference => ({
  kind,
  subject: "x",
  expected: "a",
  found: "b",
  sentence: "It differs.",
  mendable
})
const reportAll = {
  quotas: "report",
  sizes: "report",
  state: "report",
  owner: "report",
  network: "report",
  isolation: "report",
  passwords: "report"
} as const

describe("What a backend finds to be enforced", () => {
  it("is carried out whatever the policy, after the sizes that are its limits", () => {
    const found = [difference("enforcement"), difference("sizes")]
    const policies = found.map((one) => policyFor(one, reportAll, false))
    expect(policies).toEqual(["repair", "report"])
    const differences = found.map((one) => ({ ...one, policy: "repair" as const }))
    expect(tags(looked(there, {}, { differences }))).toEqual(["Repair sizes", "Enforce"])
  })
})

describe("A vanished resource", () => {
  it("is set as erred at the second miss, and only while Waldur has it as OK", () => {
    expect(tags(looked(missing, { misses: 1 }))).toEqual([])
    expect(tags(looked(missing, { misses: 2 }))).toEqual(["SetErred"])
    expect(tags(looked(missing, { misses: 3, marketplaceState: "Erred", erred: true }))).toEqual([])
  })

  it("is set as OK when it is back, only if it was this agent that set it as erred", () => {
    expect(tags(looked(there, { marketplaceState: "Erred", erred: true }))).toEqual(["SetOk"])
    expect(tags(looked(there, { marketplaceState: "Erred", erred: false }))).toEqual([])
    // Set OK by somebody else: the mark goes, under the actor.
    expect(tags(looked(there, { marketplaceState: "OK", erred: true }))).toEqual(["SetOk"])
  })

  it("is none if its id leads to somebody else's object", () => {
    const foreign: Observation = { _tag: "Foreign", resource, object: "VM 1", owner: "resource b" }
    expect(tags(looked(foreign, { misses: 5 }))).toEqual([])
  })
})

describe("What Waldur does not remember of a resource", () => {
  it("is noted there when all else has been done", () => {
    const found: Observation = { ...there, toRecord: { vm_stime: 7 } }
    expect(actionsFor(looked(found, {}))).toEqual([{ _tag: "Record", metadata: { vm_stime: 7 } }])
    const differences = [{ ...difference("standing"), policy: "repair" as const }]
    expect(tags(looked(found, {}, { differences }))).toEqual(["SetStanding", "Record"])
  })
})

describe("A difference", () => {
  it("is reported unless the policy of its kind says otherwise, or nobody can mend it", () => {
    expect(policyFor(difference("quotas"), reportAll, false)).toBe("report")
    expect(policyFor(difference("quotas"), { ...reportAll, quotas: "repair" }, false)).toBe("repair")
    expect(policyFor(difference("quotas", false), { ...reportAll, quotas: "repair" }, false)).toBe("report")
    expect(policyFor(difference("project"), { ...reportAll, quotas: "repair" }, false)).toBe("report")
  })

  it("of standing is always carried out, and an imported resource always tagged", () => {
    expect(policyFor(difference("standing"), reportAll, false)).toBe("repair")
    expect(policyFor(difference("owner"), reportAll, true)).toBe("repair")
    expect(policyFor(difference("owner"), reportAll, false)).toBe("report")
  })

  it("is mended kind by kind, ownership first, the standing last", () => {
    const found = (["quotas", "standing", "owner", "quotas"] as const).map((kind) => ({
      ...difference(kind),
      policy: "repair" as const
    }))
    expect(tags(looked(there, {}, { differences: found }))).toEqual(["Repair owner", "Repair quotas", "SetStanding"])
  })
})
