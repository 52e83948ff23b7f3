/** Locks that somebody has set on what belongs to a data centre, when it is ended. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { standingMark } from "../../src/plugins/standing.js"
import { createOrder, doneOf, makeBench, objectsOf, refusedOf, settingsOf, terminateOrder } from "../support/vdc.js"

type Bench = Effect.Effect.Success<ReturnType<typeof makeBench>>
type Locking = "one.vn.lock" | "one.vrouter.lock" | "one.vm.lock"

/** A data centre with a machine in it: VM 1, in network 1, which router 0 is in as well. */
const made = Effect.gen(function* () {
  const bench = yield* makeBench(settingsOf({ terminate_policy: "cascade" }))
  doneOf(yield* bench.attempt(yield* bench.journalFor(1), bench.create(createOrder(1))))
  const vm = yield* bench.one.template.instantiate(3, {
    name: "mine",
    extra: [{ _tag: "Vector", name: "NIC", values: { NETWORK_ID: "1" } }]
  })
  yield* bench.one.vm.chown(vm, { gid: 100 })
  yield* bench.idle
  return bench
})

const useAndMore = 1
const administrationAlone = 3
const lock = (bench: Bench, method: Locking, id: number, level = useAndMore) =>
  Effect.asVoid(bench.frontEnd.call(method, [id, level, false]))

const ended = (bench: Bench) =>
  Effect.flatMap(bench.journalFor(1), (journal) => bench.attempt(journal, bench.terminate(terminateOrder(1, "100"))))

const locks: ReadonlyArray<readonly [method: Locking, id: number, named: string, later: string]> = [
  ["one.vn.lock", 1, "network vdc-1_internal", "network 1"],
  ["one.vrouter.lock", 0, "router vdc-1_router", "router 0"],
  ["one.vm.lock", 1, "machine mine", "machine 1"]
]

describe("the end of a data centre in which somebody has locked", () => {
  for (const [method, id, named, later] of locks) {
    it.scopedLive(`its ${named} is refused before anything is touched, and done when it is unlocked`, () =>
      Effect.gen(function* () {
        const bench = yield* made
        yield* lock(bench, method, id)
        const objects = objectsOf(bench.frontEnd)
        expect(refusedOf(yield* ended(bench))).toEqual({
          sentence: `The ${named} is locked in the cloud: unlock it, then order again.`,
          leftovers: []
        })
        expect(objectsOf(bench.frontEnd)).toEqual(objects)
        yield* bench.frontEnd.call(method.replace("lock", "unlock"), [id])
        doneOf(yield* ended(bench))
        expect(objectsOf(bench.frontEnd)).toEqual([])
      })
    )

    it.scopedLive(`its ${named}, once it has begun, does not wait for that`, () =>
      Effect.gen(function* () {
        const bench = yield* made
        bench.frontEnd.intercept(({ method: called }) => {
          if (called !== "one.user.delete") return undefined
          return { _tag: "Hold", when: "before", until: lock(bench, method, id) }
        })
        expect(refusedOf(yield* ended(bench)).sentence).toBe(
          `The ${later} is locked in the cloud: unlock it, then order again.`
        )
        bench.frontEnd.intercept(undefined)
        yield* bench.frontEnd.call(method.replace("lock", "unlock"), [id])
        doneOf(yield* ended(bench))
        expect(objectsOf(bench.frontEnd)).toEqual([])
      })
    )
  }

  it.scopedLive("nothing, but Waldur has paused a machine, ends that as well", () =>
    Effect.gen(function* () {
      const bench = yield* made
      yield* bench.one.vm.append(1, [standingMark("paused")])
      yield* lock(bench, "one.vm.lock", 1)
      doneOf(yield* ended(bench))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("its machine, network and router for their administration alone, ends them all the same", () =>
    Effect.gen(function* () {
      const bench = yield* made
      for (const [method, id] of locks) yield* lock(bench, method, id, administrationAlone)
      doneOf(yield* ended(bench))
      expect(objectsOf(bench.frontEnd)).toEqual([])
    })
  )

  it.scopedLive("its network for its administration alone is not refused for that", () =>
    Effect.gen(function* () {
      const bench = yield* made
      const level = (one: number) =>
        Effect.gen(function* () {
          yield* lock(bench, "one.vn.lock", 1, one)
          const { locked } = yield* bench.one.network.info(1)
          yield* bench.frontEnd.call("one.vn.unlock", [1])
          return locked
        })
      expect([yield* level(1), yield* level(2), yield* level(3)]).toEqual([true, true, false])
    })
  )
})
