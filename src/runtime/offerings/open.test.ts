import { expect, it } from "vitest"
import { OfferingFault } from "../../core/errors.js"
import { allOf } from "./open.js"

it("several faults say once what helps against several of them", () => {
  const hint = "Correct waldur_offering_uuid."
  const faults = ["vcpu is strange.", "disk is strange."].map((reason) => new OfferingFault({ reason, hint }))
  const other = new OfferingFault({ reason: "gpu is missing.", hint: "Load it." })
  expect(allOf([...faults, other]).message).toBe(
    "vcpu is strange. disk is strange. gpu is missing. Correct waldur_offering_uuid. Load it."
  )
})
