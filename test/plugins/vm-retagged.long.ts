/**
 * A machine that its tenant has made another's, by its tags and its name: it is the resource's all the same where its id and the second in which it was made
 * are those that Waldur was told. Where one of these is another, as after OpenNebula was put back from a backup, or nobody knows them, it is left alone.
 */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, TestClock } from "effect"
import { ownerTags, projectTags, single } from "../../src/opennebula/index.js"
import { ResourceId } from "../../src/plugin/index.js"
import { observe } from "../../src/plugins/opennebula-vm/between-orders/observe.js"
import { partsOf } from "../../src/plugins/opennebula-vm/between-orders/parts.js"
import { setStanding } from "../../src/plugins/opennebula-vm/between-orders/standing.js"
import { upkeep } from "../../src/plugins/opennebula-vm/between-orders/upkeep.js"
import { accounting, usageOf } from "../../src/plugins/opennebula-vm/between-orders/usage.js"
import { makeMemoryJournal } from "../support/journal.js"
import {
  createOrder,
  doneOf,
  makeBench,
  medium,
  planComponents,
  refusedOf,
  small,
  terminateOrder,
  updateOrder,
  vdcResource
} from "../support/vmCloud.js"

const own = createOrder().resource.id
const stranger = "f".repeat(32)

/** What Waldur was told when the machine was made; and the machine, by now another's as it says. */
const retagged = Effect.gen(function* () {
  yield* TestClock.adjust("1 hour")
  const hours = planComponents("usage")
    .slice(0, 1)
    .map((component) => ({ ...component, type: "vm_hours" }))
  const bench = yield* makeBench()
  const { metadata = {} } = doneOf(yield* bench.create(createOrder()))
  const told = { vm_id: String(metadata.vm_id), vm_stime: String(metadata.vm_stime) }
  yield* bench.one.vm.append(0, [single("WALDUR_RESOURCE_UUID", stranger), single("WALDUR_ORDER_UUID", stranger)])
  yield* bench.one.vm.rename(0, "mine")
  // Its accounts say what it said when a record began.
  for (const action of ["poweroff-hard", "resume"] as const) {
    yield* bench.one.vm.action(0, action)
    yield* TestClock.adjust("1 minute")
  }
  yield* TestClock.adjust("1 hour")
  const now = yield* Clock.currentTimeMillis
  const problems = (recorded: Readonly<Record<string, string>>) =>
    Effect.gen(function* () {
      const resources = [{ id: own, backendId: "0", recorded }]
      const [hour = []] = yield* accounting({ ...bench.offering, components: hours })(resources, [
        { from: now - 1_800_000, until: now }
      ])
      return [...(yield* usageOf(bench.offering)(resources)), ...hour].map(({ problem }) => problem)
    })
  return { bench, told, problems }
})

describe("a machine of which Waldur does not know in which second it was made", () => {
  /** What Waldur shall remember of it, by what it remembers. */
  const learned = (
    recorded: Readonly<Record<string, string>>,
    tag: ReturnType<typeof single> | undefined = undefined
  ) =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const bench = yield* makeBench()
      const { metadata = {} } = doneOf(yield* bench.create(createOrder()))
      if (tag !== undefined) yield* bench.one.vm.append(0, [tag])
      const [seen] = yield* observe(bench.offering)([{ id: own, backendId: "0", recorded }])
      const toRecord = seen?._tag === "Present" ? seen.toRecord : undefined
      return toRecord === undefined ? "nothing" : toRecord.vm_stime === metadata.vm_stime ? Object.keys(toRecord) : seen
    })
  const identity = ["vm_id", "vm_stime"]

  it.scoped("has that told as long as its tag says whose it is", () =>
    Effect.gen(function* () {
      expect(yield* learned({ vm_id: "0" })).toEqual(identity)
      // One that was imported.
      expect(yield* learned({ ip_address: "10.0.0.4" })).toEqual(identity)
    })
  )

  it.scoped("has nothing told where its tag, its number or its second says otherwise, or it is known", () =>
    Effect.gen(function* () {
      expect(yield* learned({ vm_id: "0" }, single("WALDUR_RESOURCE_UUID", stranger))).toBe("nothing")
      expect(yield* learned({ vm_id: "0" }, single("WALDUR_RESOURCE_UUID", ""))).toBe("nothing")
      expect(yield* learned({ vm_id: "1" })).toBe("nothing")
      expect(yield* learned({ vm_id: "0", vm_stime: "1" })).toBe("nothing")
      expect(yield* learned({ vm_id: "0", vm_stime: "3600" })).toBe("nothing")
    })
  )

  it.scoped("has nothing told while it has the number of another's that was made in that second", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const bench = yield* makeBench()
      const { metadata = {} } = doneOf(yield* bench.create(createOrder()))
      const recorded = { vm_id: "0", vm_stime: String(metadata.vm_stime) }
      const seen = yield* observe(bench.offering)([
        { id: own, backendId: "0", recorded: { vm_id: "0" } },
        { id: ResourceId.make(stranger), backendId: "0", recorded }
      ])
      expect(seen.map((one) => one._tag === "Present" && one.toRecord)).toEqual([undefined, undefined])
    })
  )
})

describe("a machine that nobody owns, in a data centre's group", () => {
  it.scoped("is offered for import to the project of that data centre, whatever its administrator has written", () =>
    Effect.gen(function* () {
      const { one, offering } = yield* makeBench()
      const tags = (resource: string) => ownerTags({ resource, order: "" })
      const vdc = yield* one.vdc.allocate("acme", tags(vdcResource))
      yield* one.vdc.addGroup(vdc, 100)
      const made = yield* one.template.instantiate(2, { name: "mine" })
      yield* one.vm.chown(made, { gid: 100 })
      yield* one.group.append(100, [...tags(stranger), ...projectTags("9".repeat(32))])
      const [importable] = yield* upkeep(offering).importable
      expect(importable).toMatchObject({ backendId: String(made), within: vdcResource })
      expect(importable).not.toHaveProperty("project")
      // One that is no data centre of ours: its VDC's word counts before its own.
      yield* one.vdc.replace(vdc, projectTags("8".repeat(32)))
      expect(yield* upkeep(offering).importable).toMatchObject([{ project: "8".repeat(32) }])
      yield* one.vdc.replace(vdc, [])
      const [last] = yield* upkeep(offering).importable
      expect(last).toMatchObject({ project: "9".repeat(32) })
      expect(last).not.toHaveProperty("within")
    })
  )
})

describe("a machine that its tenant has given to another data centre", () => {
  it.scoped("is a difference, until it is given back, or its next change takes it as it is", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { metadata = {} } = doneOf(yield* bench.create(createOrder()))
      const differences = (told: Readonly<Record<string, unknown>>) =>
        Effect.gen(function* () {
          const recorded = { vm_id: "0", vm_stime: String(told.vm_stime), group_id: String(told.group_id) }
          const [seen] = yield* observe(bench.offering)([{ id: own, backendId: "0", recorded }])
          return seen?._tag === "Present" ? seen.findings.map(({ expected, found }) => `${expected}: ${found}`) : []
        })
      expect(yield* differences(metadata)).toEqual([])
      yield* bench.one.group.allocate("other")
      yield* bench.one.vm.chown(0, { gid: 101 })
      expect(yield* differences(metadata)).toEqual(["in group 100: in group 101"])
      const changed = doneOf(yield* bench.update(updateOrder("0", { ...small, vm_ram: 1024 })))
      expect(yield* differences(changed.metadata ?? {})).toEqual([])
      yield* bench.one.vm.chown(0, { gid: 100 })
      expect(yield* differences(metadata)).toEqual([])
    })
  )
})

describe("a machine that its tenant has made another's", () => {
  it.scoped("is used, seen, changed, paused and ended as the resource's whose machine it was made as", () =>
    Effect.gen(function* () {
      const { bench, problems, told } = yield* retagged
      const resource = { id: own, backendId: "0", recorded: told }
      const before = bench.frontEnd.calls.length
      expect(yield* usageOf(bench.offering)([resource])).toEqual([{ resource: own, amounts: small }])
      expect(bench.frontEnd.calls.length - before).toBe(1)
      expect(yield* problems(told)).toEqual([undefined, undefined])
      expect(yield* observe(bench.offering)([resource])).toMatchObject([
        {
          _tag: "Present",
          findings: [{ kind: "owner", subject: "VM 0", found: `that of resource ${stranger}`, mendable: true }]
        }
      ])
      expect((yield* partsOf(bench.offering)(resource)).length).toBeGreaterThan(1)
      const changed = doneOf(yield* bench.update(updateOrder("0", medium, { resource: { recorded: told } })))
      expect(changed.metadata).toMatchObject({ vm_stime: Number(told.vm_stime) })
      const pause = Effect.as(setStanding(bench.offering)(resource, "paused"), {})
      doneOf(yield* bench.attempt(yield* makeMemoryJournal(), pause))
      expect(yield* bench.one.vm.info(0)).toMatchObject({ state: "Poweroff", locked: true })
      doneOf(yield* bench.terminate(terminateOrder("0", { resource: { recorded: told } })))
      expect(bench.vms()).toEqual([])
    })
  )

  it.scoped("is not taken for the missing machine of the one that it names", () =>
    Effect.gen(function* () {
      const { bench, told } = yield* retagged
      const seen = yield* observe(bench.offering)([
        { id: own, backendId: "0", recorded: told },
        { id: ResourceId.make(stranger), backendId: "99" }
      ])
      expect(seen.map(({ _tag }) => _tag)).toEqual(["Present", "Missing"])
    })
  )

  const elsewhere = "VM 0 in OpenNebula belongs to another resource."
  const wrongs: ReadonlyArray<readonly [how: string, wrong: Readonly<Record<string, string>>]> = [
    ["made in another second", { vm_stime: "1" }],
    ["of another id than the one that was made", { vm_id: "1" }],
    ["of which nobody knows when it was made", { vm_stime: "" }],
    ["of which nobody knows which one was made", { vm_id: "" }]
  ]
  for (const [how, wrong] of wrongs)
    it.scoped(`and that is one ${how} is left alone`, () =>
      Effect.gen(function* () {
        const { bench, problems, told } = yield* retagged
        const recorded = { ...told, ...wrong }
        expect(yield* problems(recorded)).toEqual([elsewhere, elsewhere])
        expect(
          (yield* observe(bench.offering)([{ id: own, backendId: "0", recorded }])).map(({ _tag }) => _tag)
        ).toEqual(["Foreign"])
        const before = bench.frontEnd.calls.length
        const pause = Effect.as(setStanding(bench.offering)({ id: own, backendId: "0", recorded }, "paused"), {})
        for (const end of [
          yield* bench.update(updateOrder("0", medium, { resource: { recorded } })),
          yield* bench.terminate(terminateOrder("0", { resource: { recorded } })),
          yield* bench.attempt(yield* makeMemoryJournal(), pause)
        ]) {
          expect(refusedOf(end).sentence).toContain("left alone")
        }
        expect(bench.changes(before)).toEqual([])
      })
    )
})
