/**
 * A machine in each of the states in which OpenNebula leaves one whose driver has failed: ended, changed, paused and resumed. Of such a one it takes its end
 * and `recover` alone (source: OpenNebula 7.4, `DispatchManagerActions.cc`).
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { setStanding } from "../../src/plugins/opennebula-vm/between-orders/standing.js"
import { Lcm, VmState } from "../../src/simulator/opennebula/index.js"
import { makeMemoryJournal } from "../support/journal.js"
import { createOrder, doneOf, makeBench, medium, refusedOf, terminateOrder, updateOrder } from "../support/vmCloud.js"

const failures = Object.entries(Lcm)
  .filter(([name]) => name.endsWith("Failure"))
  .map(([name, lcm]) => ({ name, state: VmState.active, lcm }))

const makeFailed = (failure: { readonly state: number; readonly lcm: number }) =>
  Effect.gen(function* () {
    const bench = yield* makeBench()
    doneOf(yield* bench.create(createOrder()))
    const vm = bench.frontEnd.world.vms.get(0)
    const { lcm, state } = failure
    Object.assign(vm, { state, lcm })
    const resource = { id: createOrder().resource.id, backendId: "0" }
    const stand = (standing: "paused" | "active") =>
      Effect.flatMap(makeMemoryJournal(), (journal) =>
        bench.attempt(journal, Effect.as(setStanding(bench.offering)(resource, standing), {}))
      )
    return { bench, vm, stand }
  })

it("knows all of them", () => {
  expect(failures.map(({ name }) => name).toSorted()).toEqual(
    [
      "bootFailure",
      "bootMigrateFailure",
      "bootStoppedFailure",
      "bootUndeployFailure",
      "epilogFailure",
      "epilogStopFailure",
      "epilogUndeployFailure",
      "prologFailure",
      "prologMigrateFailure",
      "prologMigratePoweroffFailure",
      "prologMigrateSuspendFailure",
      "prologMigrateUnknownFailure",
      "prologResumeFailure",
      "prologUndeployFailure"
    ].toSorted()
  )
})

describe.each(failures)("a machine in $name", (failure) => {
  it.scoped("is ended", () =>
    Effect.gen(function* () {
      const { bench } = yield* makeFailed(failure)
      doneOf(yield* bench.terminate(terminateOrder("0")))
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("is not changed, and nothing is called for that", () =>
    Effect.gen(function* () {
      const { bench, vm } = yield* makeFailed(failure)
      const before = bench.frontEnd.calls.length
      expect(refusedOf(yield* bench.update(updateOrder("0", medium)))).toMatchObject({
        sentence:
          "The machine has failed in the cloud, so it cannot be changed: ask the provider to look at it, then order again.",
        detail: expect.stringMatching(/^VM 0 is \w+Failure on host host\d+$/),
        leftovers: []
      })
      expect(bench.changes(before)).toEqual([])
      expect(vm.lcm).toBe(failure.lcm)
    })
  )

  it.scoped("is paused, for nothing of it runs, and is what it was when that is over", () =>
    Effect.gen(function* () {
      const { stand, vm } = yield* makeFailed(failure)
      doneOf(yield* stand("paused"))
      expect(vm).toMatchObject({ state: VmState.active, lcm: failure.lcm, lock: { level: 1 } })
      doneOf(yield* stand("active"))
      expect(vm).toMatchObject({ state: VmState.active, lcm: failure.lcm, lock: undefined })
    })
  )
})
