/**
 * A machine that an administrator moves to another host, saves, or takes off its host, between two calls of an order for it. While it is under way it is
 * ACTIVE in a state of its own and takes nothing else (source: OpenNebula 7.4, `LifeCycleActions.cc`, `trigger_migrate`; `LifeCycleStates.cc`,
 * `trigger_prolog_success`; `DispatchManagerActions.cc`, `undeploy`).
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { updateVm } from "../../src/plugins/opennebula-vm/update.js"
import { Lcm, VmState } from "../../src/simulator/opennebula/vms/states.js"
import { makeMemoryJournal } from "../support/journal.js"
import {
  type Bench,
  createOrder,
  doneOf,
  makeBench,
  medium,
  mediumAndRunning,
  refusedOf,
  stateOf,
  terminateOrder,
  updateOrder
} from "../support/vmCloud.js"

/** LCM_STATE of what runs, and of what is powered off. */
const moves = {
  moved: { running: Lcm.migrate, off: 43 },
  saved: { running: 69, off: 70 }
} as const
type How = keyof typeof moves

interface Moment {
  readonly method: string
  /** Of `one.vm.action`. */
  readonly action?: string
}

/** Just before that call is carried out for the first time, and for so many seconds. */
const underWay = ({ frontEnd }: Bench, { action, method }: Moment, how: How, seconds: number) => {
  let done = false
  frontEnd.intercept((call) => {
    const vm = frontEnd.world.vms.find(0)
    if (done || vm === undefined || call.method !== method) return undefined
    if (action !== undefined && call.params[0] !== action) return undefined
    done = true
    const { lcm, state } = vm
    expect(state === VmState.poweroff || (state === VmState.active && lcm === Lcm.running)).toBe(true)
    Object.assign(vm, { state: VmState.active, lcm: moves[how][state === VmState.poweroff ? "off" : "running"] })
    const arrive = Effect.sync(() => Object.assign(vm, { state, lcm }))
    return {
      _tag: "Hold",
      when: "before",
      until: Effect.asVoid(Effect.forkDaemon(Effect.delay(arrive, seconds * 1000)))
    }
  })
}

const moments: ReadonlyArray<Moment> = [
  { method: "one.vm.action", action: "poweroff" },
  { method: "one.vm.resize" },
  { method: "one.vm.diskresize" },
  { method: "one.vm.action", action: "resume" }
]

describe("a machine that is under way", () => {
  for (const how of ["moved", "saved"] as const)
    for (const moment of moments)
      it.scoped(
        `(${how}) when it is changed (${moment.action ?? moment.method}) is waited for, and has its sizes`,
        () =>
          Effect.gen(function* () {
            for (const seconds of [1, 60]) {
              const bench = yield* makeBench()
              doneOf(yield* bench.create(createOrder()))
              underWay(bench, moment, how, seconds)
              doneOf(yield* bench.update(updateOrder("0", medium)))
              expect(yield* stateOf(bench)).toEqual(mediumAndRunning)
            }
          })
      )

  it.scoped("for longer than is waited for is not changed, and its customer reads why", () =>
    Effect.gen(function* () {
      for (const method of ["one.vm.resize", "one.vm.diskresize"]) {
        const bench = yield* makeBench()
        doneOf(yield* bench.create(createOrder()))
        underWay(bench, { method }, "saved", 3_600)
        expect(refusedOf(yield* bench.update(updateOrder("0", medium))).sentence).toBe(
          "The machine is being moved or saved in the cloud, so it was not changed: wait until that is over, then order again."
        )
      }
    })
  )

  it.scoped("when it is ended is waited for, and is gone", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      doneOf(yield* bench.create(createOrder()))
      underWay(bench, { method: "one.vm.action", action: "terminate-hard" }, "saved", 60)
      doneOf(yield* bench.terminate(terminateOrder("0")))
      expect(bench.vms()).toEqual([])
    })
  )
})

describe("a machine that is taken off its host (undeployed) when it is changed", () => {
  /** Carried out just before that call, and over so many ms later; a stock scheduler takes its time to find another host. */
  const undeployed = (call: Moment, epilog: number) =>
    Effect.gen(function* () {
      const bench = yield* makeBench({ frontEnd: { times: { schedule: 15_000 } } })
      doneOf(yield* bench.create(createOrder()))
      Object.assign(bench.frontEnd.world.times, { epilog })
      let done = false
      bench.frontEnd.intercept(({ method, params }) => {
        if (done || method !== call.method || (call.action !== undefined && params[0] !== call.action)) return undefined
        done = true
        const deed = Effect.map(bench.frontEnd.call("one.vm.action", ["undeploy", 0]), ({ _tag }) =>
          expect(_tag).toBe("Ok")
        )
        return { _tag: "Hold", when: "before", until: Effect.zipRight(deed, Effect.sleep(1_000)) }
      })
      return bench
    })

  for (const moment of moments.slice(1))
    it.scoped(`(before ${moment.action ?? moment.method}) has its sizes, and is started on another`, () =>
      Effect.gen(function* () {
        for (const epilog of [40, 60_000]) {
          const bench = yield* undeployed(moment, epilog)
          doneOf(yield* bench.update(updateOrder("0", medium)))
          expect(yield* stateOf(bench)).toEqual(mediumAndRunning)
        }
      })
    )

  it.scoped("and finds no other has its sizes back, and starting it is left over until there is one", () =>
    Effect.gen(function* () {
      const bench = yield* undeployed({ method: "one.vm.action", action: "resume" }, 40)
      const status = (to: number) =>
        Effect.forEach([0, 1], (host) =>
          Effect.map(bench.frontEnd.call("one.host.status", [host, to]), ({ _tag }) => expect(_tag).toBe("Ok"))
        )
      yield* status(disable)
      const journal = yield* makeMemoryJournal()
      const handler = updateVm(bench.offering)(updateOrder("0", medium))
      const end = refusedOf(yield* bench.resumed(journal, handler))
      expect(end.sentence).toContain("could not be started with the ordered sizes, so they are taken back")
      expect(end.detail).toContain("VM 0 stays Pending: ")
      expect(end.leftovers.map(({ step }) => step)).toEqual(["capacity", "poweroff"])
      expect((yield* stateOf(bench)).slice(0, 3)).toEqual(["Pending", 1, 512])
      yield* status(enable)
      expect(refusedOf(yield* bench.resumed(journal, handler)).leftovers).toEqual([])
      expect(yield* stateOf(bench)).toEqual(["Running", 1, 512, 5120])
    })
  )
})

const [enable, disable] = [0, 1]
