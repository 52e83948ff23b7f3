import { describe, expect, it } from "@effect/vitest"
import { Either, Schema } from "effect"
import { opennebulaVdc } from "../../plugins/opennebula-vdc/index.js"
import { OfferingComponent } from "../../waldur/index.js"
import { components, unchanged } from "./components.js"
import type { ComponentOverride } from "./model.js"

const inWaldur = (raw: Readonly<Record<string, unknown>>) =>
  Schema.decodeUnknownSync(OfferingComponent)({
    type: "ram",
    name: "RAM",
    measured_unit: "GB",
    billing_type: "limit",
    unit_factor: 1024,
    ...raw
  })
const offering = (overrides: Readonly<Record<string, ComponentOverride>>) => ({ name: "Cloud", components: overrides })

describe("Components of an offering", () => {
  it("are Waldur's where the file says nothing", () => {
    expect(components(offering({}), [inWaldur({})])).toEqual(
      Either.right([{ type: "ram", name: "RAM", measuredUnit: "GB", unitFactor: 1024, accountingType: "limit" }])
    )
  })

  it("take from the file what it has, and the rest from Waldur", () => {
    const overrides = { ram: { unitFactor: 1000, reportingUnitFactor: 1024, usageFrom: "ram_hours", keys: {} } }
    expect(components(offering(overrides), [inWaldur({})])).toEqual(
      Either.right([
        {
          type: "ram",
          name: "RAM",
          measuredUnit: "GB",
          unitFactor: 1000,
          accountingType: "limit",
          reportingUnitFactor: 1024,
          usageFrom: "ram_hours"
        }
      ])
    )
  })

  it("are billed by plan where Waldur says so, as a file that the Python agent takes cannot say it", () => {
    for (const accountingType of ["limit", "usage", "one"] as const) {
      const found = components(offering({ ram: { accountingType, keys: {} } }), [inWaldur({ billing_type: "fixed" })])
      expect(found).toMatchObject(Either.right([{ type: "ram", accountingType: "fixed" }]))
    }
  })

  const messages = (found: ReturnType<typeof components>) =>
    Either.match(found, { onLeft: (faults) => faults.map(({ message }) => message), onRight: () => [] })

  it("have changed where orders or figures would be counted otherwise, or refused", () => {
    const known = [inWaldur({}), inWaldur({ type: "hours", billing_type: "usage" })]
    const opened = Either.getOrThrow(components(offering({}), known))
    const said = (now: ReadonlyArray<OfferingComponent>) =>
      messages(Either.map(unchanged(offering({}), opened, now), () => opened)).join()
    expect(said([...known, inWaldur({ type: "days", billing_type: "usage" })])).toBe("")
    expect(said(known.map((one) => ({ ...one, name: "another" })))).toBe("")
    expect(said([...known, inWaldur({ type: "gpu" })])).toContain(
      "have changed in Waldur since the agent opened it: gpu."
    )
    expect(said(known.slice(1))).toContain(": ram. Restart the agent")
    expect(said(known.map((one) => ({ ...one, unitFactor: 7 })))).toContain(": ram, hours.")
    expect(said([inWaldur({ billing_type: "fixed" }), ...known.slice(1)])).toContain(": ram.")
  })

  it("are refused where the file, Waldur and the backend cannot all be right, saying what to change", () => {
    const overrides = {
      gpu: { unitFactor: 1, keys: {} },
      ram: { accountingType: "fixed" as const, keys: {} },
      cpu_h: { usageFrom: "cpu_hour", keys: {} }
    }
    const sold = [inWaldur({}), inWaldur({ type: "licence" }), inWaldur({ type: "cpu_h", billing_type: "usage" })]
    expect(messages(components({ ...offering(overrides), plugin: opennebulaVdc }, sold))).toEqual([
      'backend_components.gpu stands in the file, but the offering "Cloud" in Waldur has ram, licence, cpu_h. Run `site-actors components --load` to have it made in Waldur, or remove it from the file.',
      "backend_components.cpu_h.usage_from is cpu_hour, which opennebula-vdc does not measure. Did you mean cpu_hours? It measures: cpu, ram, storage, floating_ip, cpu_hours, vcpu_hours, ram_hours, storage_hours, vm_hours.",
      "backend_components.ram.accounting_type is fixed, but Waldur bills the component by limit. Write limit into the file, or run `site-actors components --load` to change Waldur.",
      "Waldur sells the component licence by limit, but orders for opennebula-vdc can only name cpu, ram, storage, floating_ip. Correct waldur_offering_uuid, if that is the offering of something else; or remove the component from the offering in Waldur, or have it billed in another way."
    ])
  })

  it("are refused, each, where neither side says how they are billed", () => {
    const found = components(offering({}), [
      inWaldur({ billing_type: "barter" }),
      inWaldur({ type: "cpu", billing_type: "barter" })
    ])
    expect(Either.isLeft(found) && found.left.map((fault) => fault.message)).toEqual([
      'Waldur bills the component ram of offering "Cloud" in a way that is not known here (unknown:barter). Set backend_components.ram.accounting_type to usage, limit, fixed or one.',
      'Waldur bills the component cpu of offering "Cloud" in a way that is not known here (unknown:barter). Set backend_components.cpu.accounting_type to usage, limit, fixed or one.'
    ])
  })

  it("can be said by the file where Waldur's way of billing is not known", () => {
    const found = components(offering({ ram: { accountingType: "usage", keys: {} } }), [
      inWaldur({ billing_type: "barter" })
    ])
    expect(Either.isRight(found)).toBe(true)
  })
})
