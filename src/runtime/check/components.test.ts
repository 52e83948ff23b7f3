import { describe, expect, it } from "@effect/vitest"
import { Redacted } from "effect"
import { opennebulaVdc } from "../../plugins/opennebula-vdc/index.js"
import type { ComponentOverride } from "../config/index.js"
import { componentFindings } from "./components.js"
import { lines, recording } from "./harness.js"

describe("Comparing components", () => {
  const findings = async (overrides: Readonly<Record<string, ComponentOverride>>, settings = {}) => {
    const found = await recording("007-provider-offering-vdc")
    const all = componentFindings(
      { name: "Cloud", components: overrides, backendSettings: Redacted.make(settings) },
      found.components
    )
    return lines(all)
  }

  it("says that sizes are written back where the offering bills by limit", async () => {
    expect((await findings({})).at(-1)).toMatch(
      /^ok: billing: Actual sizes of .* are written back as limits; the offering bills by limit\.$/
    )
  })

  it("fails where the file and Waldur bill differently", async () => {
    expect(await findings({ cpu: { accountingType: "fixed", keys: {} } })).toContain(
      "failed: components: backend_components.cpu.accounting_type is fixed, but Waldur bills the component by limit. Write limit into the file, or run `site-actors components --load` to change Waldur."
    )
  })

  it("warns where Waldur bills by plan and the file says otherwise, as that of the Python agent must", async () => {
    const vm = await recording("008-provider-offering-vm")
    const overrides = { ram: { accountingType: "limit" as const, keys: {} } }
    const offering = { name: "Cloud", components: overrides, backendSettings: Redacted.make({}) }
    const all = componentFindings(offering, vm.components).map(({ status, detail }) => `${status}: ${detail}`)
    expect(all.filter((line) => !line.startsWith("ok"))).toEqual([
      "warning: backend_components.ram.accounting_type is limit, but Waldur bills the component by plan (fixed), and that is used. The Python agent's files cannot say fixed: write it once that agent reads the file no more."
    ])
  })

  it("fails for components that Waldur does not have", async () => {
    expect(await findings({ gpu: { keys: {} } })).toContainEqual(
      expect.stringMatching(/^failed: components: backend_components\.gpu stands in the file, but .* in Waldur has /)
    )
  })

  it("warns of what is billed by usage and not measured here", async () => {
    const vdc = await recording("007-provider-offering-vdc")
    const [first] = vdc.components
    if (first === undefined) throw new Error("the recorded offering has components")
    const offering = { name: "Cloud", components: {}, backendSettings: Redacted.make({}), plugin: opennebulaVdc }
    const traffic = { ...first, type: "traffic", accountingType: "usage" as const }
    const warnings = componentFindings(offering, [...vdc.components, traffic]).filter(
      ({ status }) => status === "warning"
    )
    expect(warnings).toEqual([
      {
        subject: "component traffic",
        status: "warning",
        detail:
          "Billed by usage, but not measured here: set backend_components.traffic.usage_from to one of cpu, ram, storage, floating_ip, cpu_hours, vcpu_hours, ram_hours, storage_hours, vm_hours, or report it in another way."
      }
    ])
  })

  it("warns of other units", async () => {
    const found = await findings({ ram: { measuredUnit: "TB", keys: {} } })
    expect(found.filter((line) => line.startsWith("warning"))).toEqual([
      expect.stringMatching(
        /^warning: component ram: measured_unit is TB in the file and \w+ in Waldur: customers order in Waldur's\. Check unit_factor\.$/
      )
    ])
  })

  it("warns of factors that differ, and of one that the Python agent took for 1", async () => {
    const vdc = await recording("007-provider-offering-vdc")
    const inWaldur = vdc.components.map((component) => ({ ...component, unitFactor: 1024 }))
    const details = (own: ComponentOverride) =>
      componentFindings({ name: "Cloud", components: { ram: own }, backendSettings: Redacted.make({}) }, inWaldur)
        .filter(({ status }) => status === "warning")
        .map(({ detail }) => detail)
    expect(details({ unitFactor: 1000, keys: {} })).toEqual([
      "unit_factor is 1000 in the file and 1024 in Waldur; the file's is used."
    ])
    expect(details({ keys: {} })).toEqual([
      "backend_components.ram has no unit_factor, so Waldur's 1024 is used. The Python agent used 1: write down which it is."
    ])
    expect(details({ unitFactor: 1024, keys: {} })).toEqual([])
  })

  it("warns where limits are asked for on components that are billed by plan", async () => {
    const vm = await recording("008-provider-offering-vm")
    const offering = { name: "Cloud", components: {}, backendSettings: Redacted.make({ report_fixed_limits: true }) }
    expect(componentFindings(offering, vm.components).at(-1)).toEqual({
      subject: "billing",
      status: "warning",
      detail:
        "Limits are written for ram, storage, cpu too, although they are billed by plan (report_fixed_limits): a server seen in practice can then never finish another plan switch."
    })
  })
})
