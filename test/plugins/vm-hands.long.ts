/** What an administrator does by hand to a machine, or to what it needs, between two calls of an order for it. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { setStanding } from "../../src/plugins/opennebula-vm/between-orders/standing.js"
import { check } from "../../src/plugins/opennebula-vm/check.js"
import { isStoppedFor, startAll } from "../../src/plugins/standing.js"
import { Lcm, VmState } from "../../src/simulator/opennebula/index.js"
import type { Plain } from "../../src/simulator/opennebula/wire/values.js"
import { makeMemoryJournal } from "../support/journal.js"
import {
  type Bench,
  createOrder,
  doneOf,
  makeBench,
  medium,
  refusedOf,
  smallAndRunning,
  stateOf,
  untilOver,
  updateOrder,
  vdcResource
} from "../support/vmCloud.js"

interface Moment {
  readonly method: string
  /** Of `one.vm.action`. */
  readonly action?: string
}
type Deed = readonly [method: string, ...params: ReadonlyArray<Plain>]

/** Does it, as oneadmin, just before that call is carried out for the first time; `wait`: and lets so many ms pass. */
const byHand = (bench: Bench, { action, method }: Moment, deeds: ReadonlyArray<Deed>, wait = 0) => {
  let done = false
  bench.frontEnd.intercept((call) => {
    if (done || call.method !== method || (action !== undefined && call.params[0] !== action)) return undefined
    done = true
    const doing = Effect.forEach(deeds, ([name, ...params]) =>
      Effect.map(bench.frontEnd.call(name, params), (answer) => expect([name, answer._tag]).toEqual([name, "Ok"]))
    )
    return { _tag: "Hold", when: "before", until: Effect.zipRight(doing, Effect.sleep(wait)) }
  })
}

const release = { method: "one.vm.action", action: "release" }
const removed = "The machine was removed from the cloud while it was being made: order again."

describe("while a machine is made", () => {
  it.scoped.each<[string, Moment, Deed, number, string]>([
    [
      "the machine is removed before it is handed over",
      { method: "one.vm.chown" },
      ["one.vm.recover", 0, 3],
      0,
      removed
    ],
    ["the machine is removed before it is released", release, ["one.vm.recover", 0, 3], 1_000, removed],
    [
      "its data centre is removed before it is handed over",
      { method: "one.vm.chown" },
      ["one.group.delete", 100],
      0,
      "The virtual data centre was removed from the cloud while the machine was being made: choose another one and order again."
    ],
    [
      "its template is removed",
      { method: "one.template.instantiate" },
      ["one.template.delete", 2, false],
      0,
      "Template 2 of this offering does not exist (any more): ask the provider."
    ],
    [
      "its image is disabled",
      { method: "one.template.instantiate" },
      ["one.image.enable", 0, false],
      0,
      "An image that the machine was to have cannot be used in the cloud at present: ask the provider, then order again."
    ],
    [
      "its network is removed",
      { method: "one.template.instantiate" },
      ["one.vn.delete", 1],
      1_000,
      "A network that the machine was to be connected to does not exist in the cloud (any more): ask the provider."
    ]
  ])("and %s, the order errs, says so, and leaves nothing", ([, moment, deed, wait, sentence]) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      byHand(bench, moment, [deed], wait)
      expect(refusedOf(yield* bench.create(createOrder()))).toMatchObject({ sentence, leftovers: [] })
      expect(bench.vms()).toEqual([])
    })
  )
})

describe("while a machine is changed", () => {
  it.scoped.each<[string, Deed, string]>([
    [
      "removes it",
      ["one.vm.recover", 0, 3],
      "The machine does not exist in the cloud any more, so it cannot be changed."
    ],
    [
      "starts it",
      ["one.vm.action", "resume", 0],
      "Somebody else has started or stopped the machine while it was being changed, so it was left as it was: wait until it runs, then order again."
    ]
  ])("and somebody %s before it gets its sizes, the order errs and says so", ([, deed, sentence]) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      byHand(bench, { method: "one.vm.resize" }, [deed])
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({ sentence, leftovers: [] })
      const vm = bench.frontEnd.world.vms.find(0)
      if (vm?.state !== VmState.done) expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )

  it.scoped("and somebody suspends it before it is powered off, the order errs, and it is not woken", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      byHand(bench, { method: "one.vm.action", action: "poweroff" }, [["one.vm.action", "suspend", 0]], 1_000)
      const end = refusedOf(yield* bench.update(updateOrder("0", medium)))
      expect(end).toMatchObject({
        sentence: expect.stringContaining("Somebody else has started or stopped the machine"),
        leftovers: []
      })
      expect((yield* stateOf(bench)).slice(0, 3)).toEqual(["Suspended", 1, 512])
    })
  )

  it.scoped("and somebody locks it, the order errs, and starting it again is left over, until it is unlocked", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      byHand(bench, { method: "one.vm.resize" }, [["one.vm.lock", 0, 4, false]])
      const end = yield* untilOver(Effect.timeoutOption(bench.update(updateOrder("0", medium)), "10 minutes"))
      const locked = "The machine is locked in the cloud: unlock it, then order again."
      expect(Option.getOrUndefined(Option.map(end, refusedOf))).toMatchObject({
        sentence: locked,
        leftovers: [{ step: "poweroff", reason: locked }]
      })
    })
  )
})

describe("while a machine is changed, and its data centre is paused", () => {
  const dataCentre = 100
  const paused: ReadonlyArray<Deed> = [
    ["one.group.update", dataCentre, 'SITE_ACTORS_STANDING="paused"', 1],
    ["one.group.quota", dataCentre, 'VM=[RUNNING_VMS="0"]']
  ]
  const lifted = ({ frontEnd }: Bench) =>
    Effect.asVoid(frontEnd.call("one.group.quota", [dataCentre, 'VM=[RUNNING_VMS="-1"]']))
  const startedWithTheOthers = (bench: Bench) =>
    Effect.gen(function* () {
      yield* lifted(bench)
      return yield* startAll(bench.offering, yield* bench.one.vm.listExtended(), vdcResource)
    })

  it.scoped("it gets its sizes, and is started with the others when the pause is over", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      byHand(bench, { method: "one.vm.resize" }, paused)
      doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(yield* stateOf(bench)).toEqual(["Poweroff", 1, 1024, 5120])
      expect(yield* untilOver(startedWithTheOthers(bench))).toBe("1 machine started")
      expect(yield* stateOf(bench)).toEqual(["Running", 1, 1024, 5120])
    })
  )

  it.scoped("or gets its old ones back when it cannot have them, and is started with the others as well", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      byHand(bench, { method: "one.vm.resize" }, paused)
      bench.frontEnd.faults.failNext("disk-resize")
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({ leftovers: [] })
      expect(yield* stateOf(bench)).toEqual(["Poweroff", 1, 512, 2048])
      expect(yield* untilOver(startedWithTheOthers(bench))).toBe("1 machine started")
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )

  it.scoped("and the pause is over while it is being marked, it is started at once, and marked no more", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      byHand(bench, { method: "one.vm.resize" }, paused)
      const isMarked = Effect.map(bench.one.vm.info(0), (vm) => isStoppedFor(vm, vdcResource))
      const marked: Array<boolean> = []
      bench.frontEnd.onCall(({ method }) => {
        if (method !== "one.vm.update") return
        if (marked.length === 0) Effect.runSync(lifted(bench))
        marked.push(Effect.runSync(isMarked))
      })
      doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(yield* stateOf(bench)).toEqual(["Running", 1, 1024, 5120])
      expect([...marked, yield* isMarked]).toEqual([true, false, false])
    })
  )
})

it.scoped("a machine that is off, and locked for its administration alone, is locked for all when it is paused", () =>
  Effect.gen(function* () {
    const bench = yield* makeBench()
    doneOf(yield* bench.create(createOrder()))
    yield* bench.frontEnd.call("one.vm.action", ["poweroff-hard", 0])
    const isOff = ({ state }: { readonly state: unknown }) => state === "Poweroff"
    yield* untilOver(bench.one.vm.info(0).pipe(Effect.delay("1 second"), Effect.repeat({ until: isOff })))
    const administrationAlone = 3
    yield* bench.frontEnd.call("one.vm.lock", [0, administrationAlone, false])
    const resource = { id: createOrder().resource.id, backendId: "0" }
    const pause = Effect.as(setStanding(bench.offering)(resource, "paused"), {})
    doneOf(yield* bench.attempt(yield* makeMemoryJournal(), pause))
    expect(bench.frontEnd.world.vms.find(0)?.lock?.level).toBe(1)
    expect(yield* bench.one.vm.info(0)).toMatchObject({ state: "Poweroff", locked: true })
  })
)

it.scoped("a machine that has failed is paused as it is: nothing of it runs, and it takes no power-off", () =>
  Effect.gen(function* () {
    const bench = yield* makeBench()
    doneOf(yield* bench.create(createOrder()))
    Object.assign(bench.frontEnd.world.vms.get(0), { lcm: Lcm.bootFailure })
    const resource = { id: createOrder().resource.id, backendId: "0" }
    const pause = Effect.as(setStanding(bench.offering)(resource, "paused"), {})
    doneOf(yield* bench.attempt(yield* makeMemoryJournal(), pause))
    expect(yield* bench.one.vm.info(0)).toMatchObject({ state: "BootFailure", locked: true })
  })
)

describe("check", () => {
  it.scoped("says which image keeps a template from being used, and nothing of one that is still being copied", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const image = bench.frontEnd.world.images.get(0)
      const said = Effect.map(check(bench.offering), (lines) => lines.find(({ subject }) => subject === "template 2"))
      const cannot = (reason: string) => ({
        subject: "template 2",
        status: "failed",
        detail: `image 0 of vm-small cannot be given to machines: it is ${reason}`
      })
      for (const [change, expected] of [
        [{ state: 1 }, { status: "ok", detail: "vm-small, disks from 1024 MB" }],
        [{ state: 4 }, { status: "ok" }],
        [{ state: 3 }, cannot("disabled")],
        [{ state: 5 }, cannot("error")],
        [{ state: 1, persistent: true }, cannot("persistent")]
      ] as const) {
        Object.assign(image, change)
        expect(yield* said).toMatchObject(expected)
      }
    })
  )
})
