/** Orders for virtual machines whose process dies, or whose calls or answers are lost, at any point: they go on where they were. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Ref } from "effect"
import { JournalUnavailable } from "../../src/core/index.js"
import { createVm } from "../../src/plugins/opennebula-vm/create.js"
import { terminateVm } from "../../src/plugins/opennebula-vm/terminate.js"
import { updateVm } from "../../src/plugins/opennebula-vm/update.js"
import { makeMemoryJournal } from "../support/journal.js"
import {
  atChange,
  type Bench,
  createOrder,
  doneOf,
  lost,
  makeBench,
  medium,
  mediumAndRunning,
  quick,
  refusedOf,
  smallAndRunning,
  stateOf,
  terminateOrder,
  updateOrder
} from "../support/vmCloud.js"

describe("an order that is broken off goes on where it was", () => {
  /** Breaks off at the n-th write to the journal, as a process that dies there; then a new attempt. Says whether it came so far at all. */
  const dyingAt = (bench: Bench, n: number, handler: Parameters<Bench["attempt"]>[1]) =>
    Effect.gen(function* () {
      const journal = yield* makeMemoryJournal()
      let writes = 0
      yield* Ref.set(journal.onAppend, () =>
        ++writes === n ? new JournalUnavailable({ reason: "the process died" }) : Effect.void
      )
      const first = yield* bench.attempt(journal, handler)
      return {
        brokenOff: Either.isLeft(first),
        end: Either.isLeft(first) ? yield* bench.resumed(journal, handler) : first
      }
    })

  it.scoped("a create that dies before or after any of its calls makes exactly one machine", () =>
    Effect.gen(function* () {
      for (let n = 1, brokenOff = true; brokenOff; n++) {
        const bench = yield* makeBench(quick)
        const tried = yield* dyingAt(bench, n, createVm(bench.offering)(createOrder()))
        brokenOff = tried.brokenOff
        expect([n, doneOf(tried.end).backendId, bench.vms()]).toEqual([n, "0", [0]])
        expect(yield* stateOf(bench)).toEqual(smallAndRunning)
        if (!brokenOff) expect(n).toBe(11)
      }
    })
  )

  it.scoped("a create whose call or answer is lost makes exactly one machine", () =>
    Effect.gen(function* () {
      for (const when of ["before", "after"] as const) {
        for (let n = 1; n <= 3; n++) {
          const bench = yield* makeBench(quick)
          bench.frontEnd.intercept(atChange(n, lost(when)))
          const journal = yield* makeMemoryJournal()
          const handler = createVm(bench.offering)(createOrder())
          expect(Either.isLeft(yield* bench.attempt(journal, handler))).toBe(true)
          doneOf(yield* bench.resumed(journal, handler))
          expect([when, n, bench.vms().length]).toEqual([when, n, 1])
        }
      }
    })
  )

  it.scoped("the undo of a create that dies at any point leaves no machine", () =>
    Effect.gen(function* () {
      for (let n = 1, brokenOff = true; brokenOff; n++) {
        const bench = yield* makeBench(quick)
        yield* bench.one.group.quota(100, { vm: { memory: 100 } })
        const tried = yield* dyingAt(bench, n, createVm(bench.offering)(createOrder()))
        brokenOff = tried.brokenOff
        expect([n, refusedOf(tried.end).leftovers, bench.vms()]).toEqual([n, [], []])
      }
    })
  )

  it.scoped("an update that dies before or after any of its calls ends with the ordered sizes, running", () =>
    Effect.gen(function* () {
      for (let n = 1, brokenOff = true; brokenOff; n++) {
        const bench = yield* makeBench(quick)
        doneOf(yield* bench.create(createOrder()))
        const tried = yield* dyingAt(bench, n, updateVm(bench.offering)(updateOrder("0", medium)))
        brokenOff = tried.brokenOff
        doneOf(tried.end)
        expect([n, ...(yield* stateOf(bench))]).toEqual([n, ...mediumAndRunning])
      }
    })
  )

  it.scoped("an update whose call or answer is lost ends with the ordered sizes, running", () =>
    Effect.gen(function* () {
      for (const when of ["before", "after"] as const) {
        for (let n = 1; n <= 4; n++) {
          const bench = yield* makeBench(quick)
          doneOf(yield* bench.create(createOrder()))
          bench.frontEnd.intercept(atChange(n, lost(when)))
          doneOf(yield* bench.resumed(yield* makeMemoryJournal(), updateVm(bench.offering)(updateOrder("0", medium))))
          expect([when, n, ...(yield* stateOf(bench))]).toEqual([when, n, ...mediumAndRunning])
        }
      }
    })
  )

  it.scoped("the undo of an update that dies at any point gives the machine back as it was", () =>
    Effect.gen(function* () {
      for (let n = 1, brokenOff = true; brokenOff; n++) {
        const bench = yield* makeBench(quick)
        doneOf(yield* bench.create(createOrder()))
        bench.frontEnd.faults.failNext("disk-resize", { times: 9 })
        const tried = yield* dyingAt(bench, n, updateVm(bench.offering)(updateOrder("0", medium)))
        brokenOff = tried.brokenOff
        expect([n, refusedOf(tried.end).leftovers]).toEqual([n, []])
        expect([n, ...(yield* stateOf(bench))]).toEqual([n, ...smallAndRunning])
      }
    })
  )

  it.scoped("a terminate whose call or answer is lost ends the machine", () =>
    Effect.gen(function* () {
      for (const when of ["before", "after"] as const) {
        const bench = yield* makeBench(quick)
        doneOf(yield* bench.create(createOrder()))
        bench.frontEnd.intercept(atChange(1, lost(when)))
        doneOf(yield* bench.resumed(yield* makeMemoryJournal(), terminateVm(bench.offering)(terminateOrder("0"))))
        expect(bench.vms()).toEqual([])
      }
    })
  )
})
