import { describe, expect, it } from "@effect/vitest"
import { type Before, capacityBefore, changeOf, diskRefusal } from "./change.js"

const before: Before = {
  facts: { id: 5, address: "10.0.0.2", sizes: { vcpu: 1, ram: 512, disk: 2048 } },
  running: true,
  cpu: 0.5,
  disk: 1
}

describe("what an update changes", () => {
  it("is only what differs", () => {
    expect(changeOf(before, { vcpu: 1, ram: 512, disk: 2048 }, "reject")).toMatchObject({
      capacity: undefined,
      disk: undefined
    })
    expect(changeOf(before, { vcpu: 1, ram: 1024, disk: 2048 }, "reject")).toMatchObject({
      capacity: { memory: 1024 },
      disk: undefined
    })
    expect(changeOf(before, { vcpu: 2 }, "reject")).toMatchObject({ capacity: { cpu: 2, vcpu: 2 }, disk: undefined })
    expect(changeOf(before, { disk: 4096 }, "reject")).toMatchObject({
      capacity: undefined,
      disk: { id: 1, size: 4096 }
    })
  })

  it("may be nothing: an order that renews what there is names the sizes that there are", () => {
    const none = (ordered: Parameters<typeof changeOf>[1], policy: "reject" | "keep" = "reject") =>
      changeOf(before, ordered, policy).none
    expect([none({ vcpu: 1, ram: 512, disk: 2048 }), none({}), none({ disk: 1024 }, "keep")]).toEqual([
      true,
      true,
      true
    ])
    expect([none({ vcpu: 2 }), none({ disk: 4096 }), none({ disk: 1024 })]).toEqual([false, false, false])
    expect(changeOf({ ...before, disk: undefined }, { disk: 4096 }, "reject").none).toBe(false)
  })

  it("goes back to the VM's own share of a core, not to its vCPUs", () => {
    expect(capacityBefore(before, { cpu: 2, vcpu: 2 })).toEqual({ cpu: 0.5, vcpu: 1 })
    expect(capacityBefore(before, { memory: 1024 })).toEqual({ memory: 512 })
  })

  it("leaves a disk that was ordered smaller as it is, if the provider wants that, and expects that size", () => {
    expect(diskRefusal(before, { disk: 1024 }, "keep")).toBeUndefined()
    expect(changeOf(before, { ram: 1024, disk: 1024 }, "keep")).toMatchObject({
      target: { ram: 1024, disk: 2048 },
      disk: undefined
    })
  })

  it("is refused for a smaller disk otherwise", () => {
    expect(diskRefusal(before, { disk: 1024 }, "reject")?.customerMessage).toBe(
      "A disk cannot shrink: it has 2048 MB and 1024 MB was ordered; choose a plan with at least 2048 MB."
    )
  })
})
