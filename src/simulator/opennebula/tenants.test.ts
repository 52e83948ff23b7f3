import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type FrontEnd, makeFrontEnd } from "./front-end.js"
import { refusalOf, settle, succeed } from "./testing.js"
import { ruleText } from "./world/acl-bits.js"

const rulesOf = (frontEnd: FrontEnd, gid: number) =>
  [...frontEnd.world.acl].map(ruleText).filter((rule) => rule.startsWith(`@${gid} `))

/** Group 100 with one user in it. */
const withTenant = Effect.gen(function* () {
  const frontEnd = yield* makeFrontEnd()
  yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
  yield* succeed(frontEnd, "one.user.allocate", ["someone", "secret", "core", [100]])
  return frontEnd
})

describe("a group", () => {
  it.scoped("joins VDC 0 when it is made and so may use every network of the zone", () =>
    Effect.gen(function* () {
      const frontEnd = yield* withTenant
      expect([...frontEnd.world.vdcs.get(0).groups]).toContain(100)
      expect(rulesOf(frontEnd, 100)).toEqual(["@100 HOST/* MANAGE #0", "@100 NET/* USE #0", "@100 DATASTORE/* USE #0"])
      yield* succeed(frontEnd, "one.vdc.delgroup", [0, 100])
      expect(rulesOf(frontEnd, 100)).toEqual([])
    })
  )

  it.scoped("cannot be deleted with users in it, but with VMs in it", () =>
    Effect.gen(function* () {
      const frontEnd = yield* withTenant
      yield* succeed(frontEnd, "one.template.instantiate", [3, "orphan", true, ""])
      yield* succeed(frontEnd, "one.vm.chown", [0, -1, 100])
      expect(yield* refusalOf(frontEnd, "one.group.delete", [100])).toContain("Group 100 is not empty")
      yield* succeed(frontEnd, "one.user.delete", [2])
      expect(yield* refusalOf(frontEnd, "one.group.delete", [100])).toBe("OK")
      expect(frontEnd.world.vms.get(0).gid).toBe(100)
    })
  )

  it.scoped("is outlived by the rules of VDC 0 and of acl.addrule", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
      yield* succeed(frontEnd, "one.acl.addrule", ["0x200000064", "0x1400000000", "0x8", "0x400000000"])
      yield* succeed(frontEnd, "one.group.delete", [100])
      expect(rulesOf(frontEnd, 100)).toContain("@100 VM/* CREATE *")
      expect(rulesOf(frontEnd, 100)).toContain("@100 NET/* USE #0")
    })
  )

  it.scoped("has users who can start nothing until a CREATE rule allows it", () =>
    Effect.gen(function* () {
      const frontEnd = yield* withTenant
      yield* succeed(frontEnd, "one.template.chmod", [3, -1, -1, -1, -1, -1, -1, 1, 0, 0])
      const start = refusalOf(frontEnd, "one.template.instantiate", [3, "mine", false, ""], "someone:secret")
      expect(yield* start).toContain("Not authorized to perform CREATE VM")
      yield* succeed(frontEnd, "one.acl.addrule", ["0x200000064", "0x1400000000", "0x8", "0x400000000"])
      expect(yield* start).toBe("OK")
      expect(frontEnd.world.vms.get(0).gid).toBe(100)
    })
  )

  it.scoped("sees only the networks that a VDC or their permissions give it", () =>
    Effect.gen(function* () {
      const frontEnd = yield* withTenant
      const look = refusalOf(frontEnd, "one.vn.info", [0], "someone:secret")
      expect(yield* look).toBe("OK")
      yield* succeed(frontEnd, "one.vdc.delgroup", [0, 100])
      expect(yield* look).toContain("Not authorized to perform USE NET [0]")
    })
  )
})

describe("a quota", () => {
  it.scoped("on id -1 limits nothing", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
      yield* succeed(frontEnd, "one.group.quota", [100, 'NETWORK=[ID="-1",LEASES="0"]'])
      yield* succeed(frontEnd, "one.template.instantiate", [3, "vm", true, 'NIC=[NETWORK_ID="0"]'])
      expect(yield* refusalOf(frontEnd, "one.vm.chown", [0, -1, 100])).toBe("OK")
      yield* succeed(frontEnd, "one.group.quota", [100, 'NETWORK=[ID="0",LEASES="1"]'])
      yield* succeed(frontEnd, "one.template.instantiate", [3, "vm", true, 'NIC=[NETWORK_ID="0"]'])
      expect(yield* refusalOf(frontEnd, "one.vm.chown", [1, -1, 100])).toContain(
        "group [100] limit of 1 reached for LEASES quota in NETWORK with ID: 0"
      )
    })
  )

  it.scoped("below the usage is accepted, and then even shrinking is refused", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
      yield* succeed(frontEnd, "one.template.instantiate", [2, "vm", true, 'CPU="4"'])
      yield* succeed(frontEnd, "one.vm.chown", [0, -1, 100])
      expect(yield* refusalOf(frontEnd, "one.group.quota", [100, 'VM=[CPU="1"]'])).toBe("OK")
      expect(yield* refusalOf(frontEnd, "one.vm.resize", [0, 'CPU="2"', true])).toContain("limit of 1 reached for CPU")
    })
  )

  it.scoped("loses every metric that a new VM section leaves out, and keeps the other sections", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
      yield* succeed(frontEnd, "one.group.quota", [100, 'VM=[CPU="4",MEMORY="8"]\nNETWORK=[ID="0",LEASES="2"]'])
      yield* succeed(frontEnd, "one.group.quota", [100, 'VM=[MEMORY="16"]'])
      const { NETWORK, VM } = frontEnd.world.groups.get(100).quotas
      expect([VM[0]?.limits.get("CPU"), VM[0]?.limits.get("MEMORY")]).toEqual([-1, 16])
      expect(NETWORK[0]?.limits.get("LEASES")).toBe(2)
    })
  )

  it.scoped(
    "for clusters counts for the VMs in them, when they get there, beside the one for all; a cluster is in one row",
    () =>
      Effect.gen(function* () {
        const frontEnd = yield* makeFrontEnd()
        const limit = (text: string) => refusalOf(frontEnd, "one.group.quota", [100, text])
        yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
        yield* succeed(frontEnd, "one.cluster.allocate", ["elsewhere"])
        expect(yield* limit('VM=[CLUSTER_IDS="100",CPU="0"]')).toBe("OK")
        yield* succeed(frontEnd, "one.template.instantiate", [3, "vm", true, ""])
        yield* succeed(frontEnd, "one.vm.chown", [0, -1, 100])
        const resize = refusalOf(frontEnd, "one.vm.resize", [0, 'CPU="2"', true])
        // It is nowhere yet.
        expect(yield* limit('VM=[CLUSTER_IDS="0",CPU="1"]')).toBe("OK")
        expect(yield* resize).toBe("OK")
        yield* succeed(frontEnd, "one.vm.action", ["release", 0])
        yield* settle(frontEnd)
        const vm = frontEnd.world.vms.get(0)
        expect([vm.state, vm.userTemplate.get("ERROR")]).toEqual([
          1,
          expect.stringContaining(
            ": [deploy] User [0] : group [100] limit of 1 reached for CPU quota in VM with ID: 0."
          )
        ])
        expect(yield* limit('VM=[CLUSTER_IDS="0,100",CPU="4"]')).toContain("Quota for cluster id 0 already exists")
        expect(yield* limit('VM=[CLUSTER_IDS="0",CPU="2"]')).toBe("OK")
        yield* succeed(frontEnd, "one.vm.action", ["hold", 0])
        yield* succeed(frontEnd, "one.vm.action", ["release", 0])
        yield* settle(frontEnd)
        expect(vm.lcm).toBe(3)
        expect(yield* refusalOf(frontEnd, "one.vm.resize", [0, 'CPU="3"', true])).toContain(
          "limit of 2 reached for CPU"
        )
      })
  )

  it.scoped("counts a VM in HOLD as running, and one in POWEROFF not", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
      yield* succeed(frontEnd, "one.group.quota", [100, 'VM=[RUNNING_VMS="1"]'])
      for (const name of ["one", "two"]) yield* succeed(frontEnd, "one.template.instantiate", [3, name, true, ""])
      yield* succeed(frontEnd, "one.vm.chown", [0, -1, 100])
      expect(yield* refusalOf(frontEnd, "one.vm.chown", [1, -1, 100])).toContain("RUNNING_VMS")
      yield* succeed(frontEnd, "one.vm.action", ["release", 0])
      yield* settle(frontEnd)
      yield* succeed(frontEnd, "one.vm.action", ["poweroff", 0])
      yield* settle(frontEnd)
      expect(yield* refusalOf(frontEnd, "one.vm.chown", [1, -1, 100])).toBe("OK")
      expect(yield* refusalOf(frontEnd, "one.vm.action", ["resume", 0])).toContain("limit of 1 reached for RUNNING_VMS")
    })
  )

  it.scoped(
    "of what runs counts a resume that is heard twice, and one whose boot fails, and nothing takes that back",
    () =>
      Effect.gen(function* () {
        const running = (frontEnd: FrontEnd) =>
          Effect.map(succeed(frontEnd, "one.group.info", [100]), (document) =>
            /<RUNNING_VMS_USED><!\[CDATA\[(\d+)/.exec(String(document))?.at(1)
          )
        const stopped = Effect.gen(function* () {
          const frontEnd = yield* makeFrontEnd({ times: { queue: 3_000 } })
          yield* succeed(frontEnd, "one.group.allocate", ["tenant"])
          yield* succeed(frontEnd, "one.template.instantiate", [3, "vm", false, ""])
          yield* succeed(frontEnd, "one.vm.chown", [0, -1, 100])
          yield* settle(frontEnd)
          yield* succeed(frontEnd, "one.vm.action", ["poweroff", 0])
          yield* settle(frontEnd)
          expect(yield* running(frontEnd)).toBe("0")
          return frontEnd
        })
        const twice = yield* stopped
        for (let n = 0; n < 2; n++) yield* succeed(twice, "one.vm.action", ["resume", 0])
        yield* settle(twice)
        expect([twice.world.vms.get(0).lcm, yield* running(twice)]).toEqual([3, "2"])

        const failed = yield* stopped
        failed.faults.failNext("deploy")
        yield* succeed(failed, "one.vm.action", ["resume", 0])
        yield* settle(failed)
        expect([failed.world.vms.get(0).state, yield* running(failed)]).toEqual([8, "1"])
      })
  )
})
