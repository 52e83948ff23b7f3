import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { decode } from "../../../test/support/openNebulaDecoding.js"
import { recording } from "../../../test/support/openNebulaRecordings.js"
import { documentOf } from "../model/element.js"
import { Group } from "../model/group.js"
import { unmetQuota } from "./quota.js"

const group = (number: string) => decode(documentOf(Group), recording(number).response)

describe("a quota that is read back", () => {
  it.effect("is met where the front-end took it (recordings 048, 049)", () =>
    Effect.gen(function* () {
      const { quotas } = yield* group("049")
      const asked = {
        vm: { cpu: 4, memory: 8192, vms: 4, systemDiskSize: 51200 },
        networks: [{ id: 1, leases: 10 }],
        datastores: [{ id: 1, size: 102400, images: "unlimited" as const }]
      }
      expect(unmetQuota(asked, quotas)).toEqual([])
    })
  )

  it.effect("is unmet, metric by metric, where it did not", () =>
    Effect.gen(function* () {
      const { quotas } = yield* group("049")
      expect(unmetQuota({ vm: { cpu: 5, runningVms: 1 }, networks: [{ id: 9, leases: 3 }] }, quotas)).toEqual([
        "CPU: 5 asked for, 4 found",
        "RUNNING_VMS: 1 asked for, default found",
        "LEASES of network 9: 3 asked for, default found"
      ])
    })
  )

  it.effect("is unmet in what else the group was limited in, where that was reset", () =>
    Effect.gen(function* () {
      const { quotas } = yield* group("049")
      expect(quotas.vm.flatMap(({ others }) => others)).toEqual([])
      expect(unmetQuota({ vm: { others: [{ metric: "PCI_DEV", limit: 2 }] } }, quotas)).toEqual([
        "PCI_DEV: 2 asked for, default found"
      ])
    })
  )

  it.effect("counts a group without any quota as one with the default (recording 036)", () =>
    Effect.gen(function* () {
      const { quotas } = yield* group("036")
      expect(unmetQuota({ vm: { cpu: "default" } }, quotas)).toEqual([])
      expect(unmetQuota({ vm: { cpu: 1 } }, quotas)).toEqual(["CPU: 1 asked for, default found"])
    })
  )

  it.effect(
    "is met where it is the nearest that OpenNebula can keep: a float of 32 bits, with two decimal places",
    () =>
      Effect.gen(function* () {
        const { quotas } = yield* group("049")
        const [row] = quotas.vm
        const found = (memory: number, cpu: number) => ({
          ...quotas,
          vm: row === undefined ? [] : [{ ...row, memory: { limit: memory, used: 0 }, cpu: { limit: cpu, used: 0 } }]
        })
        const asked = { vm: { memory: 20_000_001, cpu: 0.3 } }
        expect(unmetQuota(asked, found(20_000_000, 0.3))).toEqual([])
        expect(unmetQuota(asked, found(20_000_004, 0.3))).toEqual(["MEMORY: 20000001 asked for, 20000004 found"])
      })
  )
})
