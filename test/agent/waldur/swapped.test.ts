/** What Waldur sells that the backend of the file does not have: an offering with another one's uuid, or a component of a plan. */
import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { demoUuids } from "../../../src/simulator/waldur/demo-world.js"
import { makeSite, scenario } from "../../support/agent.js"
import { typed } from "../../support/commands.js"
import { addComponent } from "../../support/usage.js"

scenario("those of the right ones are not told", () =>
  Effect.gen(function* () {
    const site = yield* makeSite()
    expect((yield* typed("check", "-c", site.file)).out).not.toMatch(/FAILED|waldur_offering_uuid/)
  })
)

scenario("two offerings whose uuids are swapped are told by check, each with what to look at", () =>
  Effect.gen(function* () {
    const site = yield* makeSite({
      vdcOffering: { waldur_offering_uuid: demoUuids.vmOffering },
      vmOffering: { waldur_offering_uuid: demoUuids.vdcOffering }
    })
    const { ending, out } = yield* typed("check", "-c", site.file)
    expect(ending).toBe("failed")
    const failed = out.split("\n").filter((line) => line.includes("FAILED"))
    expect(failed).toEqual([
      expect.stringContaining("vm_disk, vm_ram, vcpu, and a data centre has none of these"),
      expect.stringContaining("Waldur sells the component floating_ip by limit, but orders for opennebula-vm")
    ])
    for (const line of failed) expect(line).toContain("orrect waldur_offering_uuid")
  })
)

scenario(
  "a component that is billed by plan, and that a data centre does not have, is told by check: its orders are refused",
  () =>
    Effect.gen(function* () {
      const site = yield* makeSite()
      addComponent(site, "support", "", "fixed")
      Object.assign(site.world.plans.vdc.quotas, { support: 1 })
      yield* site.start()
      expect((yield* site.order.vdc("centre")).errorMessage).toContain('A data centre has no "support"')
      expect((yield* typed("check", "-c", site.file)).out).toMatch(
        /warning +component support +billed by plan, and a data/
      )
    })
)
