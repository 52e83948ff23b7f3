/** Virtual machines that are ended, or that cannot be changed: from any state, gone already, locked, or not ours. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { single } from "../../src/opennebula/index.js"
import {
  createOrder,
  doneOf,
  makeBench,
  medium,
  refusedOf,
  smallAndRunning,
  stateOf,
  terminateOrder,
  untilOver,
  updateOrder,
  vdcResource
} from "../support/vmCloud.js"

describe("a terminate", () => {
  it.scoped(
    "ends a machine from any state: powered off, suspended, pending, failed, and booting as soon as it has",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench({ frontEnd: { times: { boot: 5_000 } } })
        const stop = (action: "poweroff-hard" | "suspend") => (vmId: number) =>
          Effect.zipRight(bench.one.vm.action(vmId, action), Effect.sleep(1_000))
        const ways: ReadonlyArray<(vmId: number) => Effect.Effect<unknown, unknown>> = [
          stop("poweroff-hard"),
          stop("suspend")
        ]
        for (const [vmId, way] of ways.entries()) {
          doneOf(yield* bench.create(createOrder({ order: `6${vmId}` })))
          yield* untilOver(way(vmId))
          doneOf(yield* bench.terminate(terminateOrder(String(vmId))))
          expect(bench.vms()).toEqual([])
        }
        const raw = (cpu: number) =>
          bench.one.template.instantiate(2, {
            name: "my-machine",
            extra: [single("CPU", cpu), single("WALDUR_RESOURCE_UUID", "a".repeat(32))]
          })
        for (const [cpu, milliseconds, state] of [
          [64, 500, "Pending"],
          [1, 500, "Boot"],
          [1, 8_000, "BootFailure"]
        ] as const) {
          if (state === "BootFailure") bench.frontEnd.faults.failNext("deploy")
          const vmId = yield* raw(cpu)
          yield* untilOver(Effect.sleep(milliseconds))
          expect((yield* bench.one.vm.info(vmId)).state).toBe(state)
          doneOf(yield* bench.terminate(terminateOrder(String(vmId))))
          expect(bench.vms()).toEqual([])
        }
      })
  )

  it.scoped("ends as well what a call made, later than anybody waited for, and what nobody knows of", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const late = (resource: string) =>
        bench.one.template.instantiate(2, {
          name: "my-machine",
          hold: true,
          extra: [single("CPU", 1), single("WALDUR_RESOURCE_UUID", resource)]
        })
      yield* late("a".repeat(32))
      yield* late("b".repeat(32))
      doneOf(yield* bench.terminate(terminateOrder("0")))
      expect(bench.vms()).toEqual([2])
    })
  )

  it.scoped("of a machine that is gone, or never was, is a success", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      doneOf(yield* bench.terminate(terminateOrder("0")))
      doneOf(yield* bench.terminate(terminateOrder("0", { order: "4" })))
      doneOf(yield* bench.terminate(terminateOrder("4711")))
      doneOf(yield* bench.terminate(terminateOrder("")))
    })
  )

  it.scoped("without a backend id ends what a failed create left, and nothing else", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const stranger = yield* bench.one.template.instantiate(2, { name: "my-machine", hold: true })
      doneOf(yield* bench.terminate(terminateOrder("")))
      expect(bench.vms()).toEqual([stranger])
    })
  )

  it.scoped("and an update never touch a machine of another resource, nor one without tag and with another name", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const tagged = yield* bench.one.template.instantiate(2, {
        name: "my-machine",
        hold: true,
        extra: [single("WALDUR_RESOURCE_UUID", vdcResource)]
      })
      const named = yield* bench.one.template.instantiate(2, { name: "database", hold: true })
      const before = bench.frontEnd.calls.length
      for (const vmId of [tagged, named]) {
        expect(refusedOf(yield* bench.terminate(terminateOrder(String(vmId)))).sentence).toContain(
          "was not made for this resource"
        )
        expect(refusedOf(yield* bench.update(updateOrder(String(vmId), medium))).sentence).toContain(
          "was not made for this resource"
        )
      }
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped("takes a machine of the Python agent, which has no tag, by its id and name", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const vmId = yield* bench.one.template.instantiate(2, { name: "my-machine", hold: true })
      doneOf(yield* bench.terminate(terminateOrder(String(vmId))))
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("and an update leave a locked machine alone, and say so", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* bench.frontEnd.call("one.vm.lock", [0, 4, false])
      const locked = "The machine is locked in the cloud: unlock it, then order again."
      expect(refusedOf(yield* bench.terminate(terminateOrder("0"))).sentence).toBe(locked)
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence: locked,
        leftovers: []
      })
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )
})

describe("an update", () => {
  it.scoped("of a machine that vanished, or is in a state that allows no change, is refused in a sentence", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* untilOver(Effect.zipRight(bench.one.vm.action(0, "suspend"), Effect.sleep(1_000)))
      expect(refusedOf(yield* bench.update(updateOrder("0", medium))).sentence).toBe(
        "The machine can be changed when it runs or is powered off, but it is suspended now."
      )
      doneOf(yield* bench.terminate(terminateOrder("0")))
      expect(refusedOf(yield* bench.update(updateOrder("0", medium))).sentence).toBe(
        "The machine does not exist in the cloud any more, so it cannot be changed."
      )
    })
  )
})
