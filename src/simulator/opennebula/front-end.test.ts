import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { makeFrontEnd } from "./front-end.js"
import { refusalOf, settle, succeed } from "./testing.js"
import { stateName } from "./vms/states.js"
import type { Vm } from "./world/objects.js"

const tenantNetwork = 'NAME="inside"\nVN_MAD="dummy"\nBRIDGE="br1"\nAR=[TYPE="IP4",IP="192.168.9.1",SIZE="10"]'

/** A front-end with one running VM of template vm-small. */
const withRunningVm = Effect.gen(function* () {
  const frontEnd = yield* makeFrontEnd()
  yield* succeed(frontEnd, "one.template.instantiate", [2, "machine", false, ""])
  yield* settle(frontEnd)
  return { frontEnd, vm: frontEnd.world.vms.get(0) }
})

const withRouter = Effect.gen(function* () {
  const frontEnd = yield* makeFrontEnd()
  yield* succeed(frontEnd, "one.vn.allocate", [tenantNetwork, 0])
  yield* settle(frontEnd)
  yield* succeed(frontEnd, "one.vrouter.allocate", ['NAME="router"\nNIC=[NETWORK_ID="0"]\nNIC=[NETWORK_ID="1"]'])
  yield* succeed(frontEnd, "one.vrouter.instantiate", [0, 1, 1, "router-%i", false, ""])
  yield* settle(frontEnd)
  return frontEnd
})

const capacity = (vm: Vm) => [vm.template.get("CPU"), vm.template.get("MEMORY")]
const diskSize = (vm: Vm) => vm.template.vectors("DISK")[0]?.values.get("SIZE")

describe("a virtual machine", () => {
  it.scoped("goes from PENDING over PROLOG and BOOT to RUNNING in the boot time that was asked for", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd({ bootTime: 9000, times: { schedule: 1000 } })
      yield* succeed(frontEnd, "one.template.instantiate", [2, "machine", false, ""])
      const vm = frontEnd.world.vms.get(0)
      const seen = [stateName(vm)]
      for (const wait of ["1 second", "1 second", "4 seconds", "4 seconds"] as const) {
        yield* TestClock.adjust(wait)
        seen.push(stateName(vm))
      }
      expect(seen).toEqual(["PENDING", "PROLOG", "PROLOG", "BOOT", "RUNNING"])
    })
  )

  it.scoped("without room on any host stays PENDING, and starts when room comes", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd({ initial: { hosts: [{ name: "only", cpuCores: 2, memoryMb: 4096 }] } })
      yield* succeed(frontEnd, "one.template.instantiate", [2, "first", false, 'CPU="2"'])
      yield* succeed(frontEnd, "one.template.instantiate", [2, "second", false, 'CPU="2"'])
      yield* settle(frontEnd)
      expect([...frontEnd.world.vms].map(stateName)).toEqual(["RUNNING", "PENDING"])
      yield* succeed(frontEnd, "one.vm.action", ["terminate-hard", 0])
      yield* settle(frontEnd)
      expect([...frontEnd.world.vms].map(stateName)).toEqual(["DONE", "RUNNING"])
    })
  )

  it.scoped("whose poweroff the driver failed is RUNNING again without a word", () =>
    Effect.gen(function* () {
      const { frontEnd, vm } = yield* withRunningVm
      frontEnd.faults.failNext("shutdown")
      yield* succeed(frontEnd, "one.vm.action", ["poweroff", 0])
      expect(stateName(vm)).toBe("SHUTDOWN_POWEROFF")
      yield* settle(frontEnd)
      expect(stateName(vm)).toBe("RUNNING")
      expect(vm.userTemplate.isEmpty).toBe(true)
    })
  )

  it.scoped("whose live resize the driver failed has its old capacity", () =>
    Effect.gen(function* () {
      const { frontEnd, vm } = yield* withRunningVm
      frontEnd.faults.failNext("live-resize", { vm: 0 })
      yield* succeed(frontEnd, "one.vm.resize", [0, 'CPU="2"\nMEMORY="2048"', true])
      yield* settle(frontEnd)
      expect(capacity(vm)).toEqual(["1", "1024"])
      yield* succeed(frontEnd, "one.vm.resize", [0, 'CPU="2"\nMEMORY="2048"', true])
      yield* settle(frontEnd)
      expect(capacity(vm)).toEqual(["2", "2048"])
    })
  )

  it.scoped("whose live disk resize the driver failed has its old disk", () =>
    Effect.gen(function* () {
      const { frontEnd, vm } = yield* withRunningVm
      frontEnd.faults.failNext("live-disk-resize")
      yield* succeed(frontEnd, "one.vm.diskresize", [0, 0, "20480"])
      yield* settle(frontEnd)
      expect(diskSize(vm)).toBe("10240")
      expect(stateName(vm)).toBe("RUNNING")
    })
  )

  it.scoped("refuses to resume while its disk grows in POWEROFF", () =>
    Effect.gen(function* () {
      const { frontEnd } = yield* withRunningVm
      yield* succeed(frontEnd, "one.vm.action", ["poweroff", 0])
      yield* settle(frontEnd)
      yield* succeed(frontEnd, "one.vm.diskresize", [0, 0, "20480"])
      expect(yield* refusalOf(frontEnd, "one.vm.action", ["resume", 0])).toContain("DISK_RESIZE_POWEROFF")
      yield* settle(frontEnd)
      expect(yield* refusalOf(frontEnd, "one.vm.action", ["resume", 0])).toBe("OK")
    })
  )

  it.scoped("accepts nonsense as new capacity and leaves it as it was", () =>
    Effect.gen(function* () {
      const { frontEnd, vm } = yield* withRunningVm
      for (const nonsense of ['CPU="0"', 'MEMORY="abc"', ""]) {
        expect(yield* refusalOf(frontEnd, "one.vm.resize", [0, nonsense, true])).toBe("OK")
        yield* settle(frontEnd)
      }
      expect(capacity(vm)).toEqual(["1", "1024"])
    })
  )

  it.scoped("that cannot boot ends in BOOT_FAILURE and can be terminated from there", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      frontEnd.faults.failNext("deploy")
      yield* succeed(frontEnd, "one.template.instantiate", [2, "machine", false, ""])
      yield* settle(frontEnd)
      const vm = frontEnd.world.vms.get(0)
      expect(stateName(vm)).toBe("BOOT_FAILURE")
      yield* succeed(frontEnd, "one.vm.action", ["terminate-hard", 0])
      yield* settle(frontEnd)
      expect(stateName(vm)).toBe("DONE")
    })
  )
})

describe("a virtual router", () => {
  it.scoped("is gone at once when deleted, but its leases stay until its VM is DONE", () =>
    Effect.gen(function* () {
      const frontEnd = yield* withRouter
      yield* succeed(frontEnd, "one.vrouter.delete", [0])
      expect(frontEnd.world.routers.size).toBe(0)
      expect(yield* refusalOf(frontEnd, "one.vn.delete", [1])).toContain("leases in use")
      yield* settle(frontEnd)
      expect(yield* refusalOf(frontEnd, "one.vn.delete", [1])).toBe("OK")
      yield* settle(frontEnd)
      expect(frontEnd.world.networks.find(1)).toBeUndefined()
    })
  )

  it.scoped("whose VM cannot be terminated is gone all the same, and the VM runs on with its lease", () =>
    Effect.gen(function* () {
      const frontEnd = yield* withRouter
      frontEnd.faults.failNext("cancel")
      yield* succeed(frontEnd, "one.vrouter.delete", [0])
      yield* settle(frontEnd)
      expect(frontEnd.world.routers.size).toBe(0)
      expect(stateName(frontEnd.world.vms.get(0))).toBe("RUNNING")
      expect(yield* refusalOf(frontEnd, "one.vn.delete", [1])).toContain("leases in use")
    })
  )

  it.scoped("holds its floating address itself, beside its VM's", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      const nic = 'NIC=[NETWORK_ID="0",IP="10.0.0.50",FLOATING_IP="YES"]'
      yield* succeed(frontEnd, "one.vrouter.allocate", [`NAME="router"\n${nic}`])
      yield* succeed(frontEnd, "one.vrouter.instantiate", [0, 1, 1, "", false, ""])
      const leases = [...(frontEnd.world.networks.get(0).ranges[0]?.leases.values() ?? [])]
      expect(leases.map(({ holder }) => holder.kind).sort()).toEqual(["VM", "VROUTER"])
    })
  )

  it.scoped("without NICs of its own has those that its instantiation names, as the Python agent has it", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      yield* succeed(frontEnd, "one.vn.allocate", [tenantNetwork, 0])
      yield* settle(frontEnd)
      yield* succeed(frontEnd, "one.vrouter.allocate", ['NAME="router"'])
      const nics = 'NIC=[NETWORK_ID="1", IP="192.168.9.1"]\nNIC=[NETWORK_ID="0"]'
      yield* succeed(frontEnd, "one.vrouter.instantiate", [0, 1, 1, "router_vm", false, nics])
      const networks = frontEnd.world.vms.get(0).template.vectors("NIC")
      expect(networks.map(({ values }) => values.get("NETWORK_ID"))).toEqual(["1", "0"])
      expect(frontEnd.world.routers.get(0).template.vectors("NIC")).toEqual([])
    })
  )

  it.scoped("makes no VM when none is asked for", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      yield* succeed(frontEnd, "one.vrouter.allocate", ['NAME="router"'])
      expect(yield* refusalOf(frontEnd, "one.vrouter.instantiate", [0, 0, 1, "", false, ""])).toBe("OK")
      expect(frontEnd.world.vms.size).toBe(0)
    })
  )
})

describe("a read of a set of machines", () => {
  it.scoped("may be answered in the form that another asked for in the same moment", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd({ latency: 20 })
      const read = (isLong: boolean) => succeed(frontEnd, "one.vmpool.infoset", ["0", isLong])
      const made = yield* Effect.fork(succeed(frontEnd, "one.template.instantiate", [2, "machine", true, ""]))
      yield* TestClock.adjust(20)
      yield* made
      const long = yield* Effect.fork(read(true))
      yield* TestClock.adjust(10)
      const short = yield* Effect.fork(read(false))
      yield* TestClock.adjust(20)
      expect(yield* long).not.toContain("<PERMISSIONS>")
      expect(yield* short).not.toContain("<PERMISSIONS>")
      const alone = yield* Effect.fork(read(true))
      yield* TestClock.adjust(20)
      expect(yield* alone).toContain("<PERMISSIONS>")
    })
  )
})

describe("the text of a template", () => {
  it.scoped("is read as OpenNebula reads it: odd names inside vectors stay, and backslashes", () =>
    Effect.gen(function* () {
      const frontEnd = yield* makeFrontEnd()
      const given = 'A=[1="x"]\n9B="y"\nSHARE="\\\\host\\"s"'
      yield* succeed(frontEnd, "one.template.instantiate", [2, "machine", true, given])
      const pool = yield* succeed(frontEnd, "one.vmpool.infoset", ["0", true])
      expect(pool).toContain("<A><1><![CDATA[x]]></1></A>")
      expect(pool).toContain("<ONE_9B><![CDATA[y]]></ONE_9B>")
      expect(pool).toContain('<SHARE><![CDATA[\\\\host"s]]></SHARE>')
    })
  )
})
