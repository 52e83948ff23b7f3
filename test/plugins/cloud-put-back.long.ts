/**
 * OpenNebula was put back from a backup while orders were in work: what they had made is gone, and its ids are given for a second time. What is
 * somebody else's by now is left alone.
 */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Ref } from "effect"
import { JournalUnavailable } from "../../src/core/index.js"
import type { OpenNebulaService } from "../../src/opennebula/index.js"
import { single } from "../../src/opennebula/template/template.js"
import { createVm } from "../../src/plugins/opennebula-vm/create.js"
import { updateVm } from "../../src/plugins/opennebula-vm/update.js"
import { makeMemoryJournal } from "../support/journal.js"
import * as vdc from "../support/vdc.js"
import {
  createOrder,
  doneOf,
  isLook,
  makeBench,
  medium,
  refusedOf,
  small,
  smallAndRunning,
  stateOf,
  updateOrder
} from "../support/vmCloud.js"

const stranger = "f".repeat(32)
const strangers = [single("WALDUR_RESOURCE_UUID", stranger), single("WALDUR_ORDER_UUID", "f".repeat(32))]

/** The process ends before this entry is written. */
const endsBefore = (journal: Effect.Effect.Success<ReturnType<typeof makeMemoryJournal>>, entry: string) =>
  Ref.set(journal.onAppend, (step, event) =>
    `${step} ${event}` === entry ? new JournalUnavailable({ reason: "cut off" }) : Effect.void
  )
const goesOn = (journal: Effect.Effect.Success<ReturnType<typeof makeMemoryJournal>>) =>
  Ref.set(journal.onAppend, () => Effect.void)

/** The same id is a stranger's machine now, with a name of its own, in a group of its own. */
const becomesAStrangers = ({ vm }: OpenNebulaService, vmId: number) =>
  Effect.all([vm.append(vmId, strangers), vm.rename(vmId, "strangers"), vm.chown(vmId, { gid: 1 })])

describe("a machine", () => {
  const cuts = ["group started", "release started", "running started", "running finished"]
  it.scoped.each(cuts)("whose id is another's by now is neither changed nor ended, cut off before %s", (cut) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const journal = yield* makeMemoryJournal()
      const handler = createVm(bench.offering)(createOrder())
      yield* endsBefore(journal, cut)
      const first = yield* bench.attempt(journal, handler)
      expect(cut === "running finished" || Either.isLeft(first)).toBe(true)
      yield* goesOn(journal)
      const [vmId = -1] = bench.vms()
      yield* becomesAStrangers(bench.one, vmId)
      const before = bench.frontEnd.calls.length
      const end = yield* bench.attempt(journal, handler)
      expect(refusedOf(end).leftovers).toEqual([])
      expect(bench.changes(before)).toEqual([])
      expect(bench.vms()).toEqual([vmId])
    })
  )

  it.scoped("that is another's by now is not ended when the order is undone", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const journal = yield* makeMemoryJournal()
      // What was made a moment ago becomes another's while the order waits for it, and it does not start.
      const handler = createVm(bench.offering)(createOrder())
      yield* Ref.set(journal.onAppend, (step, event) =>
        `${step} ${event}` === "running started"
          ? Effect.orDie(Effect.asVoid(becomesAStrangers(bench.one, bench.vms()[0] ?? -1)))
          : Effect.void
      )
      const end = yield* bench.attempt(journal, handler)
      expect(refusedOf(end).sentence).toContain("removed from the cloud")
      expect(refusedOf(end).leftovers).toEqual([])
      expect(bench.changes()).not.toContain("terminate-hard")
    })
  )

  const steps = ["poweroff started", "capacity started", "disk started", "resume started", "resume finished"]
  it.scoped.each(steps)("that is another's by now is not resized, nor set back, cut off before %s", (cut) =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const vmId = Number(doneOf(yield* bench.create(createOrder({ amounts: small }))).backendId)
      const journal = yield* makeMemoryJournal()
      const handler = updateVm(bench.offering)(updateOrder(String(vmId), medium))
      yield* endsBefore(journal, cut)
      yield* bench.attempt(journal, handler)
      yield* goesOn(journal)
      yield* becomesAStrangers(bench.one, vmId)
      const state = yield* stateOf(bench, vmId)
      const before = bench.frontEnd.calls.length
      const end = yield* bench.attempt(journal, handler)
      expect(refusedOf(end).leftovers).toEqual([])
      expect(bench.changes(before)).toEqual([])
      expect(yield* stateOf(bench, vmId)).toEqual(state)
    })
  )

  it.scoped("that is still the order's own is gone on with", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const journal = yield* makeMemoryJournal()
      const handler = createVm(bench.offering)(createOrder())
      yield* endsBefore(journal, "group started")
      yield* bench.attempt(journal, handler)
      yield* goesOn(journal)
      doneOf(yield* bench.attempt(journal, handler))
      expect(yield* stateOf(bench)).toEqual(smallAndRunning)
    })
  )
})

describe("a data centre", () => {
  /** All that has the tag of resource `n` is a stranger's now. */
  const allBecomesAStrangers = (one: OpenNebulaService) =>
    Effect.gen(function* () {
      const pools = [
        [one.group.list(), one.group.append],
        [one.vdc.list(), one.vdc.append],
        [one.user.list(), one.user.append],
        [one.network.list(), one.network.append],
        [one.router.list(), one.router.append],
        [one.securityGroup.list(), one.securityGroup.append]
      ] as const
      for (const [list, append] of pools) {
        for (const { id, template } of yield* list) {
          if (template.some(({ name }) => name === "WALDUR_RESOURCE_UUID")) yield* append(id, strangers)
        }
      }
      for (const { id, userTemplate } of yield* one.vm.listExtended()) {
        if (userTemplate.some(({ name }) => name === "WALDUR_RESOURCE_UUID")) yield* one.vm.append(id, strangers)
      }
    })

  it.scopedLive("whose ids are another's by now is left alone, wherever its create was cut off", () =>
    Effect.gen(function* () {
      // Not between a group and its tag: that one is nobody's, and the order's own by its name.
      for (const at of [3, 5, 9, 14, 20]) {
        const bench = yield* vdc.makeBench()
        const journal = yield* bench.journalFor(1)
        yield* bench.attempt(journal, bench.create(vdc.createOrder(1)), { trouble: { at, mishap: "crash" } })
        yield* bench.idle
        yield* allBecomesAStrangers(bench.one)
        const there = vdc.objectsOf(bench.frontEnd)
        const end = yield* bench.attempt(journal, bench.create(vdc.createOrder(1)))
        // The name may be free or not: what was there before stays as it was.
        expect(end.end._tag).toBe("Some")
        for (const object of there) expect(vdc.objectsOf(bench.frontEnd)).toContain(object)
      }
    })
  )

  it.scopedLive("whose ids are another's by now is left alone, wherever its end was cut off", () =>
    Effect.gen(function* () {
      for (const at of [1, 2, 3, 4, 5, 6]) {
        const bench = yield* vdc.makeBench()
        const created = yield* bench.attempt(yield* bench.journalFor(1), bench.create(vdc.createOrder(1)))
        const { backendId = "" } = vdc.doneOf(created)
        const journal = yield* bench.journalFor(1)
        const handler = bench.terminate(vdc.terminateOrder(1, backendId))
        const cut = yield* bench.attempt(journal, handler, { trouble: { at, mishap: "crash" } })
        expect(cut.end._tag).toBe("None")
        yield* bench.idle
        yield* allBecomesAStrangers(bench.one)
        const there = vdc.objectsOf(bench.frontEnd)
        const from = bench.frontEnd.calls.length
        const end = yield* bench.attempt(journal, handler)
        expect(bench.frontEnd.calls.slice(from).filter(({ method }) => !isLook(method))).toEqual([])
        expect(vdc.refusedOf(end).sentence).toContain("put back to an earlier state")
        expect(vdc.objectsOf(bench.frontEnd)).toEqual(there)
      }
    })
  )

  it.scopedLive("is not changed, nor set back, when its group's number is another's by now", () =>
    Effect.gen(function* () {
      const bench = yield* vdc.makeBench()
      const created = yield* bench.attempt(yield* bench.journalFor(1), bench.create(vdc.createOrder(1)))
      const { backendId = "" } = vdc.doneOf(created)
      const journal = yield* bench.journalFor(1)
      const handler = bench.update(vdc.updateOrder(1, backendId, { cpu: 8 }))
      yield* bench.attempt(journal, handler, { trouble: { at: 1, mishap: "crash" } })
      yield* allBecomesAStrangers(bench.one)
      const end = yield* bench.attempt(journal, handler)
      expect(end.changes).toBe(0)
      expect(vdc.refusedOf(end).leftovers).toEqual([])
    })
  )

  const orders = {
    update: (backendId: string) => vdc.updateOrder(1, backendId, { cpu: 8 }),
    terminate: (backendId: string) => vdc.terminateOrder(1, backendId)
  }
  it.scopedLive.each(["update", "terminate"] as const)(
    "a group that only has its number is no group of its: %s",
    (kind) =>
      Effect.gen(function* () {
        const bench = yield* vdc.makeBench()
        const group = yield* bench.one.group.allocate("accounting")
        const journal = yield* bench.journalFor(1)
        const end = yield* bench.attempt(
          journal,
          kind === "update"
            ? bench.update(orders.update(String(group)))
            : bench.terminate(orders.terminate(String(group)))
        )
        expect(end.changes).toBe(0)
        expect(vdc.refusedOf(end).sentence).toContain("belongs to something else")
        expect(vdc.objectsOf(bench.frontEnd)).toContain("group accounting")
      })
  )
})
