/** What goes wrong with virtual machines, and what is left then: nothing, or the machine as it was. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Redacted, TestClock } from "effect"
import { pausedBetween } from "../../src/core/index.js"
import { createVm } from "../../src/plugins/opennebula-vm/create.js"
import { updateVm } from "../../src/plugins/opennebula-vm/update.js"
import { Lcm, lockFor, VmState } from "../../src/simulator/opennebula/index.js"
import { makeMemoryJournal } from "../support/journal.js"
import {
  atChange,
  createOrder,
  doneOf,
  makeBench,
  medium,
  mediumAndRunning,
  refuse,
  refusedOf,
  small,
  smallAndRunning,
  stateOf,
  terminateOrder,
  updateOrder
} from "../support/vmCloud.js"

describe("a machine that powers itself off before anybody has looked", () => {
  it.scoped("was made and has run: the order is done, at once, and the machine stays", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      // Whenever somebody is about to look: so nobody ever sees it run.
      bench.frontEnd.intercept(() => {
        for (const vm of bench.frontEnd.world.vms) {
          if (vm.state !== VmState.active || vm.lcm !== Lcm.running) continue
          vm.state = VmState.poweroff
          vm.lcm = 0
        }
        return undefined
      })
      doneOf(yield* bench.create(createOrder()))
      expect(yield* Clock.currentTimeMillis).toBeLessThan(60_000)
      expect((yield* bench.one.vm.info(0)).state).toBe("Poweroff")
    })
  )
})

describe("bad input", () => {
  const refused: ReadonlyArray<readonly [string, Parameters<typeof createOrder>[0], string]> = [
    [
      "a template that is not the offering's",
      { attributes: { template_id: 3 } },
      "Template 3 is not one of this offering's (2, 1, 77)"
    ],
    [
      "a template that does not exist",
      { attributes: { template_id: 77 } },
      "Template 77 of this offering does not exist"
    ],
    ["a router's template", { attributes: { template_id: 1 } }, "Template 1 is for virtual routers"],
    [
      "a disk smaller than its image",
      { amounts: { ...small, vm_disk: 1000 } },
      "The disk must have at least 1024 MB for this template, but 1000 MB was ordered."
    ],
    [
      "no RAM",
      { amounts: { ...small, vm_ram: 0 } },
      "vm_ram must be a whole number of MB, 1 or more, but 0 MB was ordered."
    ],
    [
      "half a vCPU",
      { amounts: { ...small, vcpu: 0.5 } },
      "vcpu must be a whole number, 1 or more, but 0.5 was ordered."
    ],
    ["nothing at all", { amounts: {} }, "The order or its plan must say how much vcpu"],
    [
      "a key that does not exist",
      { attributes: { ssh_public_key: "0".repeat(32) } },
      "does not exist (any more): choose another key"
    ],
    [
      "something that is no key",
      { attributes: { ssh_public_key: 'x"]\nDISK=[IMAGE_ID="0"]' } },
      "The SSH key is not valid"
    ],
    ["a language model", { attributes: { model: "llama" } }, 'The model "llama" is not one of this'],
    [
      "options of the offering that make no sense",
      { pluginOptions: { cluster_ids: "all" } },
      "This offering is not set up correctly"
    ]
  ]
  it.scoped.each(refused.map(([name, order, sentence]) => ({ name, order, sentence })))(
    "with $name is refused in a sentence, before anything is made",
    ({ order, sentence }) =>
      Effect.gen(function* () {
        const bench = yield* makeBench({ settings: { allowed_template_ids: [1, 77] } })
        const before = bench.frontEnd.calls.length
        const end = refusedOf(yield* bench.create(createOrder(order)))
        expect(end.sentence).toContain(sentence)
        expect(end.leftovers).toEqual([])
        expect(bench.changes(before)).toEqual([])
      })
  )

  it.scoped.each(['a "name"\nDISK=[SIZE="1"]', "x".repeat(300), "\u{1f600}\u{1f600}", "]]>"])(
    "in the name %j does no harm",
    (name) =>
      Effect.gen(function* () {
        const bench = yield* makeBench()
        doneOf(yield* bench.create(createOrder({ resource: { name, slug: "" } })))
        expect((yield* stateOf(bench)).slice(0, 3)).toEqual(smallAndRunning.slice(0, 3))
      })
  )

  it.scoped("in an update is refused before the machine is touched", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const before = bench.frontEnd.calls.length
      for (const amounts of [
        { ...small, vcpu: 0 },
        { ...small, vm_ram: -5 },
        { ...small, vm_disk: 2048.5 },
        { vcpu: 1 }
      ]) {
        refusedOf(yield* bench.update(updateOrder("0", amounts)))
      }
      expect(refusedOf(yield* bench.update(updateOrder("acme", medium))).sentence).toContain("no machine in the cloud")
      expect(bench.changes(before)).toEqual([])
    })
  )
})

describe("a create", () => {
  it.scoped("whose image is still being copied is released when the copy is there", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { world } = bench.frontEnd
      lockFor(world, world.images.get(0), 120_000)
      doneOf(yield* bench.create(createOrder()))
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
      const releases = bench.frontEnd.calls.filter(({ params }) => params[0] === "release")
      expect(releases.map(({ answer }) => answer._tag)).toEqual(["Error", "Ok"])
    })
  )
})

describe("a create that is refused on the way leaves nothing", () => {
  it.scoped("when its image could not be copied", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { world } = bench.frontEnd
      lockFor(world, world.images.get(0), 120_000, true)
      const end = refusedOf(yield* bench.create(createOrder()))
      expect(end).toMatchObject({ detail: "VM 0 is CloningFailure", leftovers: [] })
      expect(end.sentence).toContain("could not be started by the cloud")
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("when its image is one that a single machine may have, and has", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      Object.assign(bench.frontEnd.world.images.get(0), { persistent: true })
      doneOf(yield* bench.create(createOrder()))
      expect(refusedOf(yield* bench.create(createOrder({ order: "4" })))).toMatchObject({
        sentence: "An image that the machine was to have is another machine's alone: ask the provider.",
        leftovers: []
      })
      expect(bench.vms()).toEqual([0])
    })
  )

  it.scoped("when the group's quota is exceeded, and then nothing has booted", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* bench.one.group.quota(100, { vm: { memory: 100 } })
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.create(createOrder()))).toMatchObject({
        sentence: "The quota for memory (100 MB) is exhausted: free some of it or have it raised, then order again.",
        leftovers: []
      })
      expect(bench.changes(before)).toEqual(["one.template.instantiate", "one.vm.chown", "terminate-hard"])
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("when it does not run in time, of which the time in which nobody could look is no part", () =>
    Effect.gen(function* () {
      const hour = 3_600_000
      const bench = yield* makeBench()
      Object.assign(bench.frontEnd.world.times, { boot: hour + 120_000 })
      const ordered = (away: number) =>
        Effect.gen(function* () {
          const journal = yield* makeMemoryJournal()
          const attempt = bench.attempt(journal, createVm(bench.offering)(createOrder()))
          const first = yield* Effect.fork(attempt)
          yield* TestClock.adjust("60 seconds")
          yield* Fiber.interrupt(first)
          expect(yield* journal.story).toContain("running started")
          yield* TestClock.adjust(hour)
          return yield* Effect.locally(attempt, pausedBetween, () => Effect.succeed(away))
        })
      doneOf(yield* ordered(hour))
      expect(refusedOf(yield* ordered(0)).sentence).toBe(
        "The machine did not start within 600 s: try again later, or ask the provider."
      )
    })
  )

  it.scoped("when no host has room for it until the deadline", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      expect(refusedOf(yield* bench.create(createOrder({ amounts: { ...small, vcpu: 64 } })))).toMatchObject({
        sentence:
          "The cloud found no room for the machine within 600 s: order a smaller one, try again later, or ask the provider.",
        detail: expect.stringMatching(/^VM 0 is Pending: .* \[HOST\] Not enough CPU on hosts: 0,1$/),
        leftovers: []
      })
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("when it fails to boot, with the reason for the operator", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      bench.frontEnd.faults.failNext("deploy")
      const end = refusedOf(yield* bench.create(createOrder()))
      expect(end.sentence).toBe("The machine could not be started by the cloud: try again later, or ask the provider.")
      expect(end.detail).toMatch(/VM 0 is BootFailure: .*DEPLOY/)
      expect(end.leftovers).toEqual([])
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("when the network has no free address", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      for (let n = 0; n < 4; n++) doneOf(yield* bench.create(createOrder({ order: `5${n}` })))
      expect(refusedOf(yield* bench.create(createOrder())).sentence).toContain("has no free address left")
      expect(bench.vms()).toHaveLength(4)
    })
  )

  it.scoped.each([1, 2, 3])("when changing call %i is refused", (n) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      bench.frontEnd.intercept(atChange(n, refuse))
      expect(refusedOf(yield* bench.create(createOrder())).leftovers).toEqual([])
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("when it is removed while it is being made", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      bench.frontEnd.onCall(({ method, params }) => {
        if (method === "one.vm.action" && params[0] === "release")
          Effect.runFork(bench.frontEnd.call("one.vm.recover", [0, 5]))
      })
      expect(refusedOf(yield* bench.create(createOrder()))).toMatchObject({
        sentence: "The machine was removed from the cloud while it was being made: order again.",
        leftovers: []
      })
    })
  )
})

describe("an update that is refused on the way gives the machine back as it was", () => {
  it.scoped.each([1, 2, 3])("when changing call %i is refused", (n) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.intercept(atChange(n, refuse))
      expect(refusedOf(yield* bench.update(updateOrder("0", medium))).leftovers).toEqual([])
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )

  it.scoped("when its resume is refused: CPU and memory go back, and the customer is told that the disk stays", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      let resumes = 0
      bench.frontEnd.onCall(({ method, params }) => {
        // Somebody lowers the quota while the machine is off, and raises it again.
        if (method === "one.vm.diskresize")
          Effect.runSync(bench.frontEnd.call("one.group.quota", [100, 'VM=[RUNNING_MEMORY="600"]']))
        if (method === "one.vm.action" && params[0] === "resume") resumes += 1
      })
      const end = refusedOf(yield* bench.update(updateOrder("0", medium)))
      expect(end.sentence).toBe(
        "The quota for running memory (600 MB) is exhausted: free some of it or have it raised, then order again. Its disk has grown to 5120 MB and cannot shrink again."
      )
      expect(end.leftovers).toEqual([])
      expect(resumes).toBe(2)
      expect(yield* stateOf(bench)).toEqual(["Running", 1, 512, 5120])
    })
  )

  it.scoped("when the group's quota is too small: before it is powered off", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* bench.one.group.quota(100, { vm: { memory: 600 } })
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", medium))).sentence).toBe(
        "The virtual data centre's quota for memory (600 MB) does not allow this: 512 MB are in use and 512 MB more were ordered."
      )
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped("when a quota of a terabyte is too small, whose limit OpenNebula names as 1.04858e+06", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      for (const host of bench.frontEnd.world.hosts) Object.assign(host, { maxMemory: 4_000_000 * 1024 })
      // Lowered after the look, so that it is the front-end who refuses.
      bench.frontEnd.onCall(({ method, params }) => {
        if (method === "one.vm.action" && params[0] === "poweroff")
          Effect.runSync(bench.frontEnd.call("one.group.quota", [100, 'VM=[MEMORY="1048576"]']))
      })
      const end = refusedOf(yield* bench.update(updateOrder("0", { ...small, vm_ram: 2_000_000 })))
      expect(end.sentence).toContain("The quota for memory (about 1048580 MB) is exhausted")
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )

  it.scoped("when a quota does not allow the disk, of which OpenNebula gives no reason: the order's own fault", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.onCall(({ method }) => {
        if (method === "one.vm.resize")
          Effect.runSync(bench.frontEnd.call("one.group.quota", [100, 'VM=[SYSTEM_DISK_SIZE="4096"]']))
      })
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence:
          "The quota for disks does not allow one of 5120 MB, so the machine was left as it was: free some of it or have it raised, then order again.",
        leftovers: []
      })
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )

  it.scoped("when the machine's owner was deleted: the order's own, not the offering's, fault", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const owner = yield* bench.one.user.allocate({ name: "gone", password: Redacted.make("x"), groups: [100] })
      yield* bench.one.vm.chown(0, { uid: owner })
      yield* bench.one.user.delete(owner)
      const end = refusedOf(yield* bench.update(updateOrder("0", { ...small, vm_disk: 4096 })))
      expect(end.sentence).toContain("The machine's owner in the cloud does not exist any more")
    })
  )

  it.scoped("when somebody deletes the machine meanwhile: nothing is left that could be put back", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.onCall(({ method }) => {
        if (method === "one.vm.resize") Effect.runSync(bench.frontEnd.call("one.vm.recover", [0, 3]))
      })
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence: "The machine does not exist in the cloud any more, so it cannot be changed.",
        leftovers: []
      })
    })
  )

  it.scoped("when its disk has snapshots, of which the customer is told", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.intercept((call) => {
        if (call.method !== "one.vm.diskresize") return undefined
        const refused = refuse(call)
        return refused?._tag === "Garbage"
          ? {
              ...refused,
              body: refused.body.replace("made to fail", "Cannot resize a disk with snapshots").replace("8192", "2048")
            }
          : refused
      })
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence:
          "The disk has snapshots, so the cloud does not grow it, and the machine was left as it was: delete them, then order again.",
        leftovers: []
      })
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )

  it.scoped("when its host has no room", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      // Given away to another after the look.
      const on = bench.frontEnd.world.vms.get(0).history.at(-1)?.host
      bench.frontEnd.onCall(({ method, params }) => {
        if (method === "one.vm.action" && params[0] === "poweroff") Object.assign(on ?? {}, { maxCpu: 100 })
      })
      expect(refusedOf(yield* bench.update(updateOrder("0", { ...small, vcpu: 2 })))).toMatchObject({
        sentence: "The cloud has no room for the ordered sizes where the machine is: order less, or try again later.",
        leftovers: []
      })
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )
})

describe("a resume whose answer is lost", () => {
  it.scoped("is not refused by a quota that the machine itself fills, now that it runs", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* bench.one.group.quota(100, { vm: { runningVms: 1 } })
      let resumes = 0
      bench.frontEnd.intercept(({ method, params }) =>
        method === "one.vm.action" && params[0] === "resume" && ++resumes === 1
          ? { _tag: "Drop", when: "after" }
          : undefined
      )
      doneOf(yield* bench.resumed(yield* makeMemoryJournal(), updateVm(bench.offering)(updateOrder("0", medium))))
      expect(yield* stateOf(bench)).toEqual(mediumAndRunning)
    })
  )
})

describe("silent failures of the cloud", () => {
  it.scoped("a power-off that the guest ignores once is asked again; one that it always ignores is switched off", () =>
    Effect.gen(function* () {
      for (const [times, asked] of [
        [1, ["poweroff", "poweroff"]],
        [99, ["poweroff", "poweroff", "poweroff", "poweroff-hard"]]
      ] as const) {
        const bench = yield* makeBench()
        doneOf(yield* bench.create(createOrder()))
        bench.frontEnd.faults.failNext("shutdown", { times })
        const before = bench.frontEnd.calls.length
        doneOf(yield* bench.update(updateOrder("0", medium)))
        expect(bench.changes(before)).toEqual([...asked, "one.vm.resize", "one.vm.diskresize", "resume"])
        expect(yield* stateOf(bench)).toEqual(mediumAndRunning)
      }
    })
  )

  it.scoped("a power-off that takes longer than it may is followed by a hard one as soon as the cloud takes it", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ frontEnd: { times: { shutdown: 150_000 } } })
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.faults.failNext("shutdown")
      const before = bench.frontEnd.calls.length
      doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(
        bench
          .changes(before)
          .filter((method) => method.startsWith("poweroff"))
          .at(-1)
      ).toBe("poweroff-hard")
      expect(yield* stateOf(bench)).toEqual(mediumAndRunning)
    })
  )

  it.scoped(
    "a power-off that never ends ends the order, with the machine on the list of what could not be undone",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench({ frontEnd: { times: { shutdown: 1e9 } } })
        doneOf(yield* bench.create(createOrder()))
        const end = refusedOf(yield* bench.update(updateOrder("0", medium)))
        expect(end.sentence).toContain("could not be powered off, so it was not changed")
        expect(end.leftovers).toEqual([{ step: "poweroff", reason: expect.stringContaining("ShutdownPoweroff") }])
      })
  )

  it.scoped("a machine that does not come up again ends the order", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.faults.failNext("deploy", { times: 9 })
      const end = refusedOf(yield* bench.update(updateOrder("0", medium)))
      expect(end.sentence).toBe(
        "The machine could not be started with the ordered sizes, so they are taken back. Its disk has grown to 5120 MB and cannot shrink again."
      )
      expect(end.leftovers.map(({ step }) => step)).toEqual(["capacity", "poweroff"])
    })
  )

  it.scoped("a machine that does not boot after an update is tried three times, then booted with its old sizes", () =>
    Effect.gen(function* () {
      for (const times of [1, 3]) {
        const bench = yield* makeBench()
        doneOf(yield* bench.create(createOrder()))
        bench.frontEnd.faults.failNext("deploy", { times })
        const end = yield* bench.update(updateOrder("0", medium))
        if (times === 1) {
          doneOf(end)
          expect(yield* stateOf(bench)).toEqual(mediumAndRunning)
          continue
        }
        const { leftovers, sentence } = refusedOf(end)
        expect(sentence).toContain("could not be started with the ordered sizes, so they are taken back")
        expect(leftovers).toEqual([])
        expect(yield* stateOf(bench)).toEqual(["Running", 1, 512, 5120])
      }
    })
  )

  it.scoped("sizes that could not be put back at first are put back by a later try, after which the machine runs", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      // The machine does not come up with its new sizes, and while it is off, the quota falls below what it has.
      bench.frontEnd.faults.failNext("deploy", { times: 3 })
      let resumes = 0
      bench.frontEnd.onCall(({ method, params }) => {
        if (method === "one.vm.action" && params[0] === "resume" && ++resumes === 3)
          Effect.runSync(bench.frontEnd.call("one.group.quota", [100, 'VM=[MEMORY="100"]']))
      })
      const journal = yield* makeMemoryJournal()
      const handler = updateVm(bench.offering)(updateOrder("0", medium))
      const end = refusedOf(yield* bench.resumed(journal, handler))
      expect(end.leftovers.map(({ step }) => step)).toEqual(["capacity"])
      expect(yield* stateOf(bench)).toEqual(["Running", 1, 1024, 5120])

      // Again in vain: not switched off for that.
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.resumed(journal, handler)).leftovers).toHaveLength(1)
      expect(bench.changes(before)).toEqual([])

      yield* bench.one.group.quota(100, { vm: { memory: 4096 } })
      expect(refusedOf(yield* bench.resumed(journal, handler)).leftovers).toEqual([])
      expect(yield* stateOf(bench)).toEqual(["Running", 1, 512, 5120])
    })
  )

  it.scoped("a terminate that the driver fails is sent again until the machine is gone", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.faults.failNext("cancel", { times: 4 })
      doneOf(yield* bench.terminate(terminateOrder("0")))
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("a terminate that the driver always fails is refused at the deadline", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.faults.failNext("cancel", { times: 9999 })
      const end = refusedOf(yield* bench.terminate(terminateOrder("0")))
      expect(end.sentence).toBe("The cloud could not end the machine in time: try again later, or ask the provider.")
      expect(end.detail).toBe("VM 0 is still Running on host host02")
    })
  )
})
