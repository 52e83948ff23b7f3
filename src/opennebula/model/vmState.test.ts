import { describe, expect, it } from "@effect/vitest"
import { isVmFailure, vmState, vmStateText } from "./vmState.js"

describe("the state of a VM", () => {
  it("is that of the life cycle while it is active, and the VM's own otherwise", () => {
    expect(vmState(3, 3)).toBe("Running")
    expect(vmState(8, 0)).toBe("Poweroff")
    expect(vmState(8, 3)).toBe("Poweroff")
    expect(vmState(3, 63)).toBe("DiskResizePoweroff")
    expect(vmState(3, 66)).toBe("HotplugResize")
  })

  it("has a name of its own for every pair that OpenNebula 7.4 lists", () => {
    const retired = [13, 14]
    const names = [
      ...[0, 1, 2, 4, 5, 6, 8, 9, 10, 11].map((state) => vmState(state, 0)),
      ...Array.from({ length: 72 }, (_, lcm) => lcm)
        .filter((lcm) => !retired.includes(lcm))
        .map((lcm) => vmState(3, lcm))
    ]
    expect(names.every((name) => typeof name === "string")).toBe(true)
    expect(new Set(names).size).toBe(names.length)
  })

  it("that a later release invents is told by its numbers", () => {
    expect(vmState(3, 99)).toEqual({ _tag: "Unlisted", state: 3, lcmState: 99 })
    expect(vmStateText(vmState(42, 0))).toBe("Unlisted(42/0)")
    expect(isVmFailure(vmState(3, 99))).toBe(false)
  })

  it("is a failure where the driver failed", () => {
    expect([36, 37, 38, 39, 40, 47, 61].every((lcm) => isVmFailure(vmState(3, lcm)))).toBe(true)
    expect(isVmFailure(vmState(3, 3))).toBe(false)
    expect(isVmFailure(vmState(6, 0))).toBe(false)
  })
})
