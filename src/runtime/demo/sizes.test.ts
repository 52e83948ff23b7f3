import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeFrontEnd } from "../../simulator/opennebula/index.js"
import { difference, vdcSizes, vmSizes } from "./sizes.js"

describe("the demo's look at what was made", () => {
  it.scoped("sees the limits of a group, and none where there is no group", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd({})
      yield* frontEnd.call("one.group.allocate", ["acme"])
      const quota = 'VM=[CPU="4",MEMORY="4096",SYSTEM_DISK_SIZE="20480"]\nNETWORK=[ID="0",LEASES="2"]'
      yield* frontEnd.call("one.group.quota", [100, quota])
      expect(vdcSizes(frontEnd, 100)).toEqual({ cpu: 4, ram: 4096, storage: 20480, floating_ip: 2 })
      expect(vdcSizes(frontEnd, 101)).toEqual({ cpu: -1, ram: -1, storage: -1, floating_ip: -1 })
    })
  )

  it.scoped("sees nothing of a machine that does not run", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd({})
      yield* frontEnd.call("one.template.instantiate", [2, "vm", true, "", false])
      expect(vmSizes(frontEnd, 0)).toEqual({})
      expect(vmSizes(frontEnd, 7)).toEqual({})
    })
  )

  it("names what is not as ordered", () => {
    expect(difference({ vcpu: 1, vm_ram: 512 }, { vcpu: 1, vm_ram: 512, vm_disk: 2048 })).toBe("")
    expect(difference({ vcpu: 1, vm_ram: 512 }, { vcpu: 2 })).toBe(
      "vcpu is 2 instead of 1, vm_ram is not there instead of 512"
    )
  })
})
