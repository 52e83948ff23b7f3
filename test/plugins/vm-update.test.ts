/** A machine's sizes on the simulated front-end: as they are told, and as an update changes them. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  createOrder,
  doneOf,
  makeBench,
  medium,
  planComponents,
  refusedOf,
  small,
  updateOrder
} from "../support/vmCloud.js"

describe("the actual size of a machine", () => {
  it.scoped("goes to metadata after a create and a resize, and as limits for what is billed by limit", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ components: planComponents("limit") })
      expect(doneOf(yield* bench.create(createOrder())).amounts).toEqual(small)
      expect(doneOf(yield* bench.update(updateOrder("0", medium))).amounts).toEqual(medium)
    })
  )

  it.scoped("does not go back as limits of fixed components, unless the provider wants it", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      expect(doneOf(yield* bench.create(createOrder())).amounts).toBeUndefined()
      const wanted = yield* makeBench({ settings: { report_fixed_limits: true } })
      expect(doneOf(yield* wanted.create(createOrder())).amounts).toEqual(small)
    })
  )
})

describe("an update", () => {
  it.scoped("with a smaller disk is refused before the machine is touched", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder({ amounts: medium })))
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", { ...small, vm_ram: 2048 })))).toMatchObject({
        sentence: "A disk cannot shrink: it has 5120 MB and 2048 MB was ordered; choose a plan with at least 5120 MB.",
        leftovers: []
      })
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped("with a smaller disk applies the rest of it with disk_shrink: keep, and reports the disk as it is", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ settings: { disk_shrink: "keep" } })
      doneOf(yield* bench.create(createOrder({ amounts: medium })))
      expect(doneOf(yield* bench.update(updateOrder("0", { ...small, vm_ram: 2048 }))).metadata).toMatchObject({
        ram_mb: 2048,
        disk_mb: 5120
      })
    })
  )

  it.scoped("whose disk cannot be grown takes CPU and memory back, brings the machine up again, and is refused", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      bench.frontEnd.faults.failNext("disk-resize", { times: 9 })
      expect(refusedOf(yield* bench.update(updateOrder("0", { ...medium, vcpu: 2 })))).toMatchObject({
        sentence:
          "The disk could not be grown, so the machine was left as it was: try again later, or ask the provider.",
        leftovers: []
      })
      const vm = yield* bench.one.vm.info(0)
      expect([vm.state, vm.cpu, vm.vcpu, vm.memory, vm.disks[0]?.size]).toEqual(["Running", 1, 1, 512, 2048])
    })
  )

  it.scoped("that changes nothing powers nothing off", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      const before = bench.frontEnd.calls.length
      expect(doneOf(yield* bench.update(updateOrder("0", small))).metadata).toMatchObject({ ram_mb: 512 })
      expect(bench.changes(before)).toEqual([])
    })
  )

  it.scoped("leaves a machine off that was off", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      yield* bench.one.vm.action(0, "poweroff-hard")
      const before = bench.frontEnd.calls.length
      expect(doneOf(yield* bench.update(updateOrder("0", medium))).metadata).toMatchObject({
        ram_mb: 1024,
        disk_mb: 5120
      })
      expect((yield* bench.one.vm.info(0)).state).toBe("Poweroff")
      expect(bench.changes(before)).toEqual(["one.vm.resize", "one.vm.diskresize"])
    })
  )

  it.scoped(
    "of a machine whose resume waits its turn in the cloud sends no second one, which would count as running twice",
    () =>
      Effect.gen(function* () {
        const bench = yield* makeBench({ frontEnd: { times: { queue: 12_000 } } })
        doneOf(yield* bench.create(createOrder()))
        const before = bench.frontEnd.calls.length
        doneOf(yield* bench.update(updateOrder("0", medium)))
        expect(bench.changes(before).filter((change) => change === "resume")).toHaveLength(1)
        expect((yield* bench.one.group.info(100)).quotas.vm).toMatchObject([{ runningVms: { used: 1 } }])
      })
  )

  it.scoped("of a machine whose resume the cloud has lost sends another", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ frontEnd: { times: { queue: 3_600_000 } } })
      doneOf(yield* bench.create(createOrder()))
      const before = bench.frontEnd.calls.length
      bench.frontEnd.onCall(({ method, params }) => {
        // It has been restarted.
        if (method === "one.vm.action" && params[0] === "resume" && bench.changes(before).includes("resume"))
          Object.assign(bench.frontEnd.world.times, { queue: 0 })
      })
      doneOf(yield* bench.update(updateOrder("0", medium)))
      expect(bench.changes(before).filter((change) => change === "resume")).toHaveLength(2)
    })
  )
})
