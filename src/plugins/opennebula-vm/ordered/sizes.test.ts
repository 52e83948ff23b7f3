import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Component } from "../../../core/index.js"
import { orderedSizes, reportedLimits, sizesOf, usedAmounts } from "./sizes.js"

const component = (type: string, accountingType: Component["accountingType"] = "fixed"): Component => ({
  type,
  name: type,
  measuredUnit: "",
  unitFactor: 1,
  accountingType
})
const plan = [component("vcpu"), component("vm_ram"), component("vm_disk")]

describe("ordered sizes", () => {
  it.effect("come by the plan's components, or by those of a VDC", () =>
    Effect.gen(function* () {
      expect(yield* orderedSizes(plan, { vcpu: 2, vm_ram: 512, vm_disk: 2048 })).toEqual({
        vcpu: 2,
        ram: 512,
        disk: 2048
      })
      const vdc = [component("cpu"), component("ram"), component("storage")]
      expect(yield* orderedSizes(vdc, { cpu: 2, ram: 512, storage: 2048 })).toEqual({ vcpu: 2, ram: 512, disk: 2048 })
    })
  )

  it.effect("are the template's where the offering has no component", () =>
    Effect.gen(function* () {
      expect(yield* orderedSizes([component("vcpu")], { vcpu: 2 })).toEqual({ vcpu: 2 })
    })
  )

  it.each([
    ["zero", { vcpu: 0, vm_ram: 512, vm_disk: 2048 }, "vcpu must be a whole number, 1 or more, but 0 was ordered."],
    [
      "negative",
      { vcpu: 1, vm_ram: -1, vm_disk: 2048 },
      "vm_ram must be a whole number of MB, 1 or more, but -1 MB was ordered."
    ],
    [
      "fractional",
      { vcpu: 1.5, vm_ram: 512, vm_disk: 2048 },
      "vcpu must be a whole number, 1 or more, but 1.5 was ordered."
    ],
    [
      "huge",
      { vcpu: 1, vm_ram: 512, vm_disk: 2_000_000_000 },
      "vm_disk must be at most 1073741824 MB, but 2000000000 MB was ordered."
    ],
    [
      "not a number",
      { vcpu: Number.NaN, vm_ram: 512, vm_disk: 2048 },
      "vcpu must be a whole number, 1 or more, but NaN was ordered."
    ],
    ["missing", { vcpu: 1, vm_ram: 512 }, "The order or its plan must say how much vm_disk the virtual machine has."]
  ])("are refused in one sentence when one is %s", (_, amounts, sentence) =>
    Effect.runPromise(
      Effect.map(Effect.flip(orderedSizes(plan, amounts)), (refused) => expect(refused.customerMessage).toBe(sentence))
    )
  )
})

describe("actual sizes", () => {
  const disk = (id: number, size: number, imageId: Option.Option<number>) => ({
    id,
    size,
    imageId,
    datastoreId: Option.none(),
    type: "FILE",
    target: "SYSTEM"
  })
  const vm = { vcpu: 2, memory: 512, disks: [disk(0, 100, Option.none()), disk(1, 2048, Option.some(7))] }

  it("have the disk that the VM boots from, not its first one", () => {
    expect(sizesOf(vm)).toEqual({ vcpu: 2, ram: 512, disk: 2048 })
  })

  it("use of the cloud counts all disks", () => {
    const whole = {
      ...vm,
      id: 1,
      name: "vm",
      uid: 0,
      gid: 0,
      state: "Running" as const,
      cpu: 2,
      nics: [],
      startedAt: 0,
      endedAt: 0,
      history: []
    }
    expect(usedAmounts(plan, whole)).toEqual({ amounts: { vcpu: 2, vm_ram: 512, vm_disk: 2148 } })
    expect(usedAmounts([{ ...component("memory", "usage"), usageFrom: "ram" }], whole).amounts).toEqual({ memory: 512 })
    // What OpenNebula took for a size and nobody can read is no zero.
    const odd = { ...whole, memory: 0, disks: [...vm.disks, disk(2, 0, Option.none())] }
    expect(usedAmounts(plan, odd)).toEqual({
      amounts: { vcpu: 2 },
      problem: "VM 1 has no readable size of its ram, disk."
    })
  })

  it("go back as limits of what is billed by limit, and of fixed components only if that is wanted", () => {
    const mixed = [component("vcpu", "limit"), component("vm_ram", "fixed"), component("vm_disk", "usage")]
    const sizes = { vcpu: 2, ram: 512, disk: 2048 }
    expect(reportedLimits(mixed, sizes, false)).toEqual({ vcpu: 2 })
    expect(reportedLimits(mixed, sizes, true)).toEqual({ vcpu: 2, vm_ram: 512 })
  })
})
