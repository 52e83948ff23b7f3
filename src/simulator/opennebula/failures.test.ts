/** What a front-end does when a driver or a host fails it, and what an operator's hand then does (OpenNebula 7.4's source; only a failed boot was recorded). */
import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { type FrontEnd, hostDies, hostReturns, makeFrontEnd } from "./index.js"
import { vector } from "./world/template.js"

const [retry, success, failure, remove, recreate] = [2, 1, 0, 3, 4]

const settle = TestClock.adjust("10 seconds")

/** A machine on its way; the answer of each call, and its states after it. */
const makeLab = Effect.gen(function* () {
  const frontEnd = yield* makeFrontEnd()
  const { world } = frontEnd
  const call = (method: string, ...params: Parameters<FrontEnd["call"]>[1]) =>
    Effect.map(frontEnd.call(method, params), (answer) => (answer._tag === "Error" ? answer.message : answer._tag))
  return {
    call,
    faults: frontEnd.faults,
    world,
    state: (vm = 0) => {
      const { lcm, state } = world.vms.get(vm)
      return `${state}/${lcm}`
    },
    started: Effect.zipRight(call("one.template.instantiate", 3, "vm", false, ""), settle),
    act: (action: string) => call("one.vm.action", action, 0),
    recover: (operation: number | undefined) => call("one.vm.recover", 0, operation ?? -1),
    hostOf: (vm = 0) => world.hosts.get(world.vms.get(vm).history.at(-1)?.host.id ?? -1)
  }
})

describe("a machine whose disks cannot be copied to its host", () => {
  it.scoped(
    "is in PROLOG_FAILURE, takes no action but its end, and runs when that is tried again or said to be done",
    () =>
      Effect.gen(function* () {
        for (const operation of [retry, success, recreate]) {
          const lab = yield* makeLab
          lab.faults.failNext("prolog")
          yield* lab.started
          expect(lab.state()).toBe("3/39")
          expect(yield* lab.act("resume")).toContain("not available for state PROLOG_FAILURE")
          expect(yield* lab.recover(failure)).toBe("Ok")
          expect(lab.state()).toBe("3/39")
          expect(yield* lab.recover(operation)).toBe("Ok")
          yield* settle
          expect(lab.state()).toBe("3/3")
        }
      })
  )
})

describe("a machine whose disks cannot be removed", () => {
  it.scoped("is in EPILOG_FAILURE, and is ended by a second terminate or an operator", () =>
    Effect.gen(function* () {
      for (const end of ["terminate-hard", retry, success, remove] as const) {
        const lab = yield* makeLab
        yield* lab.started
        lab.faults.failNext("epilog")
        yield* lab.act("terminate-hard")
        yield* settle
        expect(lab.state()).toBe("3/40")
        expect(lab.world.vms.get(0).userTemplate.get("ERROR")).toContain("Error executing image transfer script")
        expect(yield* typeof end === "string" ? lab.act(end) : lab.recover(end)).toBe("Ok")
        yield* settle
        expect(lab.state()).toBe("6/0")
      }
    })
  )

  it.scoped("takes no second terminate while they are being removed, but one while it is shut down", () =>
    Effect.gen(function* () {
      const lab = yield* makeLab
      yield* lab.started
      yield* lab.act("terminate-hard")
      expect(lab.state()).toBe("3/12")
      expect(yield* lab.act("terminate-hard")).toBe("Ok")
      yield* TestClock.adjust(40)
      expect(lab.state()).toBe("3/11")
      expect(yield* lab.act("terminate-hard")).toContain("EPILOG")
    })
  )
})

describe("a machine on a host that does not answer any more", () => {
  it.scoped("is UNKNOWN, does nothing that it is told, and runs when the host is back", () =>
    Effect.gen(function* () {
      const lab = yield* makeLab
      yield* lab.started
      const host = lab.hostOf()
      hostDies(lab.world, host)
      expect(lab.state()).toBe("3/16")
      expect(yield* lab.act("resume")).toBe("Ok")
      expect(lab.state()).toBe("3/19")
      yield* settle
      expect(lab.state()).toBe("3/16")
      for (const action of ["poweroff", "poweroff-hard", "terminate-hard"]) {
        expect(yield* lab.act(action)).toBe("Ok")
        yield* settle
        // As if it ran: its driver has failed, and that is all that is known.
        expect(lab.state()).toBe("3/3")
      }
      lab.world.vms.get(0).lcm = 16
      hostReturns(lab.world, host)
      expect(lab.state()).toBe("3/3")
    })
  )

  it.scoped("is made again on another one by delete-recreate", () =>
    Effect.gen(function* () {
      const lab = yield* makeLab
      yield* lab.started
      const host = lab.hostOf()
      hostDies(lab.world, host)
      yield* lab.recover(recreate)
      expect(lab.state()).toBe("3/15")
      yield* settle
      expect(lab.state()).toBe("3/3")
      expect(lab.hostOf().id).not.toBe(host.id)
    })
  )
})

describe("a machine that hangs in a shutdown", () => {
  it.scoped("is switched off by a hard one", () =>
    Effect.gen(function* () {
      const lab = yield* makeLab
      yield* lab.started
      yield* lab.act("poweroff")
      expect(yield* lab.act("poweroff")).toContain("SHUTDOWN_POWEROFF")
      expect(yield* lab.act("poweroff-hard")).toBe("Ok")
      yield* settle
      expect(lab.state()).toBe("8/0")
      expect(yield* lab.recover(recreate)).toContain("Cannot delete-recreate a powered off VM. Resume it first")
      expect(yield* lab.recover(retry)).toContain("Could not perform a retry on VM 0, wrong state POWEROFF.")
    })
  )
})

describe("a machine that no host takes", () => {
  const template = (world: FrontEnd["world"]) => world.templates.get(3).template
  const why: ReadonlyArray<readonly [string, (world: FrontEnd["world"]) => void]> = [
    [
      "Cannot dispatch VM: No hosts enabled to run VMs",
      (world) => {
        for (const host of world.hosts) host.state = 4
      }
    ],
    [
      "Cannot dispatch VM: No system datastores found to run VMs",
      (world) => Object.assign(world.datastores.get(0), { state: 1 })
    ],
    [
      "Cannot dispatch VM: No host meets SCHED_REQUIREMENTS",
      (world) => template(world).set("SCHED_REQUIREMENTS", "CLUSTER_ID = 100")
    ],
    ["\\[HOST\\] Not enough CPU on hosts: 0,1", (world) => template(world).set("CPU", "1000")],
    ["\\[HOST\\] Not enough MEMORY on hosts: 0,1", (world) => template(world).set("MEMORY", "9000000")],
    [
      "\\[HOST\\] Not enough CPU on hosts: 0\\[HOST\\] Not enough MEMORY on hosts: 1",
      (world) => {
        Object.assign(world.hosts.get(0), { maxCpu: 0 })
        Object.assign(world.hosts.get(1), { maxMemory: 0 })
      }
    ],
    [
      "\\[DS\\] Not enough capacity on datastores: 0",
      (world) => {
        world.datastores.get(0).room = 20_000
        template(world).add(vector("DISK", { TYPE: "fs", SIZE: 100_000 }))
      }
    ]
  ]
  it.scoped.each(why.map(([sentence, make]) => ({ sentence, make })))(
    "stays PENDING, and says: $sentence",
    ({ make, sentence }) =>
      Effect.gen(function* () {
        const lab = yield* makeLab
        make(lab.world)
        yield* lab.started
        expect(lab.state()).toBe("1/0")
        expect(lab.world.vms.get(0).userTemplate.get("SCHED_MESSAGE")).toMatch(new RegExp(`: ${sentence}$`))
      })
  )
})

describe("a network whose driver fails", () => {
  const text = 'NAME="n"\nVN_MAD="dummy"\nBRIDGE="br"\nAR=[TYPE="IP4",IP="10.1.0.1",SIZE="4"]'

  it.scoped("to make it is in ERROR without addresses, and can be deleted", () =>
    Effect.gen(function* () {
      const lab = yield* makeLab
      lab.faults.failNext("network-create")
      yield* lab.call("one.vn.allocate", text, 0)
      yield* settle
      expect(lab.world.networks.get(1)).toMatchObject({ state: 5, ranges: [] })
      expect(yield* lab.call("one.vn.delete", 1)).toBe("Ok")
      yield* settle
      expect(lab.world.networks.find(1)).toBeUndefined()
    })
  )

  it.scoped("to remove it is in ERROR, and can be deleted again", () =>
    Effect.gen(function* () {
      const lab = yield* makeLab
      yield* lab.call("one.vn.allocate", text, 0)
      yield* settle
      lab.faults.failNext("network-delete")
      yield* lab.call("one.vn.delete", 1)
      yield* settle
      expect(lab.world.networks.get(1)).toMatchObject({ state: 5, ranges: [] })
      yield* lab.call("one.vn.delete", 1)
      yield* settle
      expect(lab.world.networks.find(1)).toBeUndefined()
    })
  )

  it.scoped("in either, and hangs, takes no deletion until an administrator recovers it", () =>
    Effect.gen(function* () {
      const lab = yield* makeLab
      Object.assign(lab.world.times, { networkReady: 1e9 })
      yield* lab.call("one.vn.allocate", text, 0)
      expect(yield* lab.call("one.vn.delete", 1)).toBe(
        "[one.vn.delete] Cannot delete virtual network. Can not remove a Virtual Network, wrong state LOCK_CREATE"
      )
      expect(yield* lab.call("one.vn.recover", 1, 3)).toBe(
        "[one.vn.recover] Could not perform 'recover retry' on VN 1, wrong state LOCK_CREATE."
      )
      expect(yield* lab.call("one.vn.recover", 1, failure)).toBe("Ok")
      expect(lab.world.networks.get(1).state).toBe(5)
      // To be ready that way it needs its address ranges by hand.
      expect(yield* lab.call("one.vn.recover", 1, success)).toBe("Ok")
      expect(lab.world.networks.get(1)).toMatchObject({ state: 1, ranges: [] })
      Object.assign(lab.world.times, { networkDelete: 1e9 })
      yield* lab.call("one.vn.delete", 1)
      expect(yield* lab.call("one.vn.delete", 1)).toContain("wrong state LOCK_DELETE")
      expect(yield* lab.call("one.vn.recover", 1, 2)).toBe("Ok")
      expect(lab.world.networks.find(1)).toBeUndefined()
    })
  )
})
