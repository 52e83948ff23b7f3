/** What keeps a network, a VDC or a router's machine from being removed in OpenNebula, at the end of a data centre and where its making is undone. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Plain } from "../../src/simulator/opennebula/index.js"
import { hostDies, hostReturns, Lcm, VmState } from "../../src/simulator/opennebula/index.js"
import { createOrder, doneOf, makeBench, objectsOf, refusedOf, settingsOf, terminateOrder } from "../support/vdc.js"
import { isLook } from "../support/vmCloud.js"

type Bench = Effect.Effect.Success<ReturnType<typeof makeBench>>

/** For an end that does not come: long enough for all that comes before. */
const impatient = settingsOf({ router_start_timeout: 5, teardown_timeout: 5 })

const made = Effect.gen(function* () {
  const bench = yield* makeBench()
  doneOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1))))
  return bench
})
const terminated = (bench: Bench, settings = settingsOf()) =>
  Effect.flatMap(bench.journal, (journal) =>
    bench.attempt(journal, bench.terminate(terminateOrder(1, "100")), { settings })
  )

/** The answer's value, or the front-end's words. */
const call = ({ frontEnd }: Bench, method: string, params: ReadonlyArray<Plain>, session?: string) =>
  Effect.map(frontEnd.call(method, params, session), (answer) =>
    answer._tag === "Error" ? answer.message : answer._tag
  )
const hold = (bench: Bench, ip = "10.0.1.9") => call(bench, "one.vn.hold", [1, `LEASES=[IP="${ip}"]`])

/** A user of the data centre's group. */
const makeTenant = (bench: Bench) =>
  Effect.gen(function* () {
    yield* call(bench, "one.user.allocate", ["tenant", "secret", "core", [100]])
    return "tenant:secret"
  })

describe("an address of a data centre's network that is held by hand", () => {
  it.scopedLive("goes with it", () =>
    Effect.gen(function* () {
      const bench = yield* made
      expect(yield* hold(bench)).toBe("Ok")
      expect(yield* call(bench, "one.vn.delete", [1])).toContain("leases in use")
      doneOf(yield* terminated(bench))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("is not let go, nor named as a machine, while something has another one", () =>
    Effect.gen(function* () {
      const bench = yield* made
      const { world } = bench.frontEnd
      yield* hold(bench)
      // A router by hand, floating in there, that comes when the end is begun.
      const off = bench.frontEnd.onCall(({ method }) => {
        if (method !== "one.user.delete") return
        off()
        Effect.runSync(call(bench, "one.vrouter.allocate", ['NAME="by hand"\nNIC=[NETWORK_ID="1",FLOATING_IP="YES"]']))
      })
      const { sentence } = refusedOf(yield* terminated(bench, impatient))
      expect(sentence).toBe(
        "The network vdc-1_internal is still in use by router 1 (10.0.1.2), a hold (10.0.1.9): remove that, then order again."
      )
      expect([...(world.networks.get(1).ranges[0]?.leases.values() ?? [])].map(({ holder }) => holder.kind)).toContain(
        "HOLD"
      )
      yield* call(bench, "one.vrouter.delete", [1])
      doneOf(yield* terminated(bench))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("keeps an undo from nothing", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      bench.frontEnd.faults.failNext("deploy")
      const off = bench.frontEnd.onCall(({ method }) => {
        if (method !== "one.vrouter.instantiate") return
        off()
        Effect.runSync(hold(bench))
      })
      expect(refusedOf(yield* bench.attempt(yield* bench.journal, bench.create(createOrder(1)))).leftovers).toEqual([])
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

describe("addresses that a tenant has reserved for a network of their own", () => {
  it.scopedLive("have the data centre's owner tag, as OpenNebula copies it, and go with it", () =>
    Effect.gen(function* () {
      const bench = yield* made
      const { world } = bench.frontEnd
      const tenant = yield* makeTenant(bench)
      expect(yield* call(bench, "one.vn.reserve", [1, 'SIZE="3"\nNAME="mine"'], tenant)).toBe("Ok")
      expect(world.networks.get(2)).toMatchObject({ parent: 1, gid: 100 })
      expect(yield* call(bench, "one.vn.delete", [1])).toContain("leases in use")
      yield* call(bench, "one.user.delete", [world.users.byName("tenant")?.id ?? -1])
      doneOf(yield* terminated(bench))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

describe("a VDC that OpenNebula does not remove, as its database is in trouble", () => {
  it.scopedLive("has its end err, and the next one is done", () =>
    Effect.gen(function* () {
      const bench = yield* made
      bench.frontEnd.faults.failNext("vdc-delete")
      expect(refusedOf(yield* terminated(bench))).toEqual({
        sentence:
          "The cloud refused this operation in the resource's present state: try again later, or ask the provider.",
        leftovers: []
      })
      doneOf(yield* terminated(bench))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("is left over where its making is undone, and goes when that is tried again", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      bench.frontEnd.faults.failNext("deploy")
      bench.frontEnd.faults.failNext("vdc-delete")
      const journal = yield* bench.journal
      const create = bench.create(createOrder(1))
      expect(refusedOf(yield* bench.attempt(journal, create)).leftovers).toMatchObject([{ step: "VDC" }])
      expect(objectsOf(bench.frontEnd)).toEqual(["VDC vdc-1"])
      expect(refusedOf(yield* bench.attempt(journal, create)).leftovers).toEqual([])
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

describe("a router's machine that could not be ended when its making was undone", () => {
  it.scopedLive("is told first of all when that is tried again: its router is gone", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const { calls, intercept, world } = bench.frontEnd
      const hosts = [...world.hosts]
      intercept(() => {
        const vm = world.vms.find(0)
        // As soon as it runs, and before anybody has seen it so.
        if (vm?.state === VmState.active && vm.lcm === Lcm.running) for (const host of hosts) hostDies(world, host)
        return undefined
      })
      const journal = yield* bench.journal
      const create = bench.create(createOrder(1))
      const { leftovers } = refusedOf(yield* bench.attempt(journal, create, { settings: impatient }))
      expect(leftovers).toMatchObject([{ step: "router VM" }, { step: "network" }])
      intercept(undefined)
      for (const host of hosts) hostReturns(world, host)
      const before = calls.length
      expect(refusedOf(yield* bench.attempt(journal, create)).leftovers).toEqual([])
      expect(objectsOf(bench.frontEnd)).toEqual([])
      const [first] = calls.slice(before).filter(({ method }) => !isLook(method))
      expect(first).toMatchObject({ method: "one.vm.action", params: ["terminate-hard", 0] })
    })
  )
})

describe("a router's machine that has ended while nobody could look", () => {
  it.scopedLive("is not called one that could not be ended, however long that was", () =>
    Effect.gen(function* () {
      const bench = yield* made
      // As for an agent that stands still.
      bench.frontEnd.intercept(({ method }) =>
        method === "one.vmpool.infoset" ? { _tag: "Hold", when: "before", until: Effect.never } : undefined
      )
      doneOf(yield* terminated(bench, impatient))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})

describe("a router's machine that has failed", () => {
  const failures = Object.entries(Lcm).filter(([name]) => name.endsWith("Failure"))
  it.scopedLive.each(failures.map(([name, lcm]) => ({ name, lcm })))("in $name goes with its data centre", ({ lcm }) =>
    Effect.gen(function* () {
      const bench = yield* made
      Object.assign(bench.frontEnd.world.vms.get(0), { state: VmState.active, lcm })
      doneOf(yield* terminated(bench))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )
})
