/** Machines whose host, disks or network fail them in the middle of an order, and what an operator finds and does. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { updateVm } from "../../src/plugins/opennebula-vm/update.js"
import { hostDies, hostReturns, Lcm } from "../../src/simulator/opennebula/index.js"
import { makeMemoryJournal } from "../support/journal.js"
import {
  type Bench,
  createOrder,
  doneOf,
  makeBench,
  medium,
  mediumAndRunning,
  refusedOf,
  smallAndRunning,
  stateOf,
  terminateOrder,
  updateOrder
} from "../support/vmCloud.js"

const makeWithVm = Effect.tap(makeBench(), (bench) => Effect.map(bench.create(createOrder()), doneOf))

const hostOf = ({ frontEnd: { world } }: Bench) => world.hosts.get(world.vms.get(0).history.at(-1)?.host.id ?? -1)
/** Once, when that has been carried out. */
const after = (bench: Bench, method: string, then: () => void) => {
  const off = bench.frontEnd.onCall((call) => {
    if (call.method !== method) return
    off()
    then()
  })
}
const die = (bench: Bench) => hostDies(bench.frontEnd.world, hostOf(bench))

describe("a machine whose host dies", () => {
  it.scoped("is ended in vain, and the operator reads where it is and what is the matter there", () =>
    Effect.gen(function* () {
      const bench = yield* makeWithVm
      die(bench)
      expect(refusedOf(yield* bench.terminate(terminateOrder("0")))).toEqual({
        sentence: "The cloud could not end the machine in time: try again later, or ask the provider.",
        // What OpenNebula says of it after each try.
        detail: "VM 0 is still Running on host host02 (Error)",
        leftovers: []
      })
      hostReturns(bench.frontEnd.world, hostOf(bench))
      doneOf(yield* bench.terminate(terminateOrder("0")))
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("while its order is to end it, is ended by an operator's hand, and the order is done", () =>
    Effect.gen(function* () {
      const bench = yield* makeWithVm
      die(bench)
      let tries = 0
      bench.frontEnd.onCall(({ method }) => {
        if (method === "one.vm.action" && ++tries === 5) Effect.runFork(bench.frontEnd.call("one.vm.recover", [0, 3]))
      })
      doneOf(yield* bench.terminate(terminateOrder("0")))
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("is not changed, in words that its customer understands", () =>
    Effect.gen(function* () {
      const bench = yield* makeWithVm
      die(bench)
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence:
          "The cloud does not know at present whether the machine runs, so it cannot be changed: try again later, or ask the provider.",
        detail: "VM 0 is Unknown on host host02 (Error)"
      })
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped.each(["one.vm.resize", "one.vm.diskresize"])(
    "in the middle of a change (after %s) has its sizes back, and runs once the host is back",
    (method) =>
      Effect.gen(function* () {
        const bench = yield* makeWithVm
        after(bench, method, () => die(bench))
        const journal = yield* makeMemoryJournal()
        const handler = updateVm(bench.offering)(updateOrder("0", medium))
        const end = refusedOf(yield* bench.resumed(journal, handler))
        expect(end.leftovers.map(({ reason }) => reason)).toEqual([
          expect.stringContaining("on host host02 (Error)"),
          expect.stringContaining("on host host02 (Error)")
        ])
        expect(yield* stateOf(bench)).toEqual(["Poweroff", ...smallAndRunning.slice(1)])
        hostReturns(bench.frontEnd.world, hostOf(bench))
        expect(refusedOf(yield* bench.resumed(journal, handler)).leftovers).toEqual([])
        expect(yield* stateOf(bench)).toEqual(smallAndRunning)
      })
  )

  it.scoped("while it was to be powered off is left as it is, and its customer is told so", () =>
    Effect.gen(function* () {
      const bench = yield* makeWithVm
      bench.frontEnd.onCall(() => {
        if (bench.frontEnd.world.vms.get(0).lcm === Lcm.shutdownPoweroff && hostOf(bench).state !== 3) die(bench)
      })
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toEqual({
        sentence: "The machine could not be powered off, so it was not changed: try again later, or ask the provider.",
        detail: "VM 0 stays Running on host host02 (Error)",
        leftovers: []
      })
    })
  )
})

describe("a machine that no host takes", () => {
  const cases: ReadonlyArray<{
    readonly of: string
    readonly make: (bench: Bench) => void
    readonly sentence: string
    readonly detail: RegExp
  }> = [
    {
      of: "as none has so much memory",
      make: ({ frontEnd: { world } }) => {
        for (const host of world.hosts) Object.assign(host, { maxMemory: 0 })
      },
      sentence:
        "The cloud found no room for the machine within 600 s: order a smaller one, try again later, or ask the provider.",
      detail: /\[HOST\] Not enough MEMORY on hosts: 0,1$/
    },
    {
      of: "as the system datastore is full",
      make: ({ frontEnd: { world } }) => Object.assign(world.datastores.get(0), { room: 0 }),
      sentence:
        "The cloud found no room for the machine's disk within 600 s: order a smaller one, try again later, or ask the provider.",
      detail: /\[DS\] Not enough capacity on datastores: 0$/
    },
    {
      of: "as all are disabled",
      make: ({ frontEnd: { world } }) => {
        for (const host of world.hosts) host.state = 4
      },
      sentence:
        "The cloud had no host that takes the machine within 600 s, of whatever size: try again later, or ask the provider.",
      detail: /: Cannot dispatch VM: No hosts enabled to run VMs$/
    },
    {
      of: "as its system datastore is disabled",
      make: ({ frontEnd: { world } }) => Object.assign(world.datastores.get(0), { state: 1 }),
      sentence:
        "The cloud had no host that takes the machine within 600 s, of whatever size: try again later, or ask the provider.",
      detail: /: Cannot dispatch VM: No system datastores found to run VMs$/
    },
    {
      of: "as no scheduler says a word",
      make: ({ frontEnd: { world } }) => Object.assign(world.times, { schedule: 1e9 }),
      sentence:
        "The cloud had no host that takes the machine within 600 s, of whatever size: try again later, or ask the provider.",
      detail: /^VM 0 is Pending$/
    }
  ]
  it.scoped.each(cases)("$of, is not made, and its customer is told to order less only where that helps", (given) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      given.make(bench)
      expect(refusedOf(yield* bench.create(createOrder()))).toEqual({
        sentence: given.sentence,
        detail: expect.stringMatching(given.detail),
        leftovers: []
      })
      expect(bench.vms()).toEqual([])
    })
  )
})

describe("a machine whose disks cannot be removed", () => {
  it.scoped("is ended all the same, by a second call or by whatever an operator does at that moment", () =>
    Effect.gen(function* () {
      for (const operation of [undefined, 0, 1, 2, 3, 4]) {
        const bench = yield* makeWithVm
        bench.frontEnd.faults.failNext("epilog")
        bench.frontEnd.onCall(({ method }) => {
          const { lcm, state } = bench.frontEnd.world.vms.get(0)
          if (operation !== undefined && method !== "one.vm.recover" && state === 3 && lcm === Lcm.epilogFailure)
            Effect.runSync(bench.frontEnd.call("one.vm.recover", [0, operation]))
        })
        doneOf(yield* bench.terminate(terminateOrder("0")))
        expect(bench.vms()).toEqual([])
      }
    })
  )
})

describe("a machine whose disks cannot be copied", () => {
  it.scoped("is taken back, also when an operator has recovered it meanwhile", () =>
    Effect.gen(function* () {
      for (const operation of [undefined, 0, 1, 2, 3, 4]) {
        const bench = yield* makeBench()
        bench.frontEnd.faults.failNext("prolog")
        bench.frontEnd.onCall(({ method }) => {
          const vm = bench.frontEnd.world.vms.find(0)
          if (operation === undefined || method === "one.vm.recover" || vm?.lcm !== Lcm.prologFailure) return
          Effect.runSync(bench.frontEnd.call("one.vm.recover", [0, operation]))
        })
        expect(refusedOf(yield* bench.create(createOrder()))).toMatchObject({
          sentence: "The machine could not be started by the cloud: try again later, or ask the provider.",
          detail: expect.stringMatching(/^VM 0 is PrologFailure: .*Error executing image transfer script/),
          leftovers: []
        })
        expect(bench.vms()).toEqual([])
      }
    })
  )
})

describe("a machine that has failed", () => {
  it.scoped("is not changed, and its operator reads why it has", () =>
    Effect.gen(function* () {
      const bench = yield* makeWithVm
      Object.assign(bench.frontEnd.world.vms.get(0), { lcm: Lcm.prologMigrateFailure })
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence:
          "The machine has failed in the cloud, so it cannot be changed: ask the provider to look at it, then order again.",
        detail: "VM 0 is PrologMigrateFailure on host host02"
      })
    })
  )

  it.scoped(
    "to be moved by an operator's hand while it is off for an order is tried again, and has its sizes back",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeWithVm
        after(bench, "one.vm.resize", () =>
          Object.assign(bench.frontEnd.world.vms.get(0), { state: 3, lcm: Lcm.prologMigratePoweroffFailure })
        )
        expect(refusedOf(yield* bench.update(updateOrder("0", medium))).leftovers).toEqual([])
        expect(yield* stateOf(bench)).toEqual(smallAndRunning)
      })
  )
})

describe("a disk that cannot be grown after CPU and memory were changed", () => {
  it.scoped("has all of it taken back, and the operator reads what the driver said", () =>
    Effect.gen(function* () {
      const bench = yield* makeWithVm
      bench.frontEnd.faults.failNext("disk-resize")
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence:
          "The disk could not be grown, so the machine was left as it was: try again later, or ask the provider.",
        detail: expect.stringMatching(
          /still smaller than 5120 MB; it is Poweroff: .*Error executing image transfer script/
        ),
        leftovers: []
      })
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
      doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(yield* stateOf(bench)).toEqual(mediumAndRunning)
    })
  )
})

describe("a machine in a network that has failed", () => {
  it.scoped("is not made, and its customer is not told to end another one", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      bench.frontEnd.faults.failNext("network-delete")
      yield* bench.frontEnd.call("one.vn.delete", [1])
      yield* TestClock.adjust("1 second")
      expect(refusedOf(yield* bench.create(createOrder()))).toMatchObject({
        sentence:
          "The network of the virtual data centre cannot be used in the cloud at present: ask the provider, then order again.",
        detail: expect.stringMatching(/^network 1 is Error: /),
        leftovers: []
      })
    })
  )
})
