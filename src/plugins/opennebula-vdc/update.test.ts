import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { doneOf, made, makeBench, quotasOf, refusedOf, updateOrder } from "../../../test/support/vdc.js"

describe("a change of quotas", () => {
  it.scopedLive("that fails puts back what was before", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      const before = yield* quotasOf(bench)
      const journal = yield* bench.journal
      const change = bench.update(updateOrder(1, "100", { cpu: 9, ram: 1024, floating_ip: 7 }))
      yield* bench.attempt(journal, change, { trouble: { at: 1, mishap: "lost after" } })
      expect(yield* quotasOf(bench)).not.toEqual(before)
      refusedOf(yield* bench.attempt(journal, change, { trouble: { at: 1, mishap: "refused" } }))
      expect(yield* quotasOf(bench)).toEqual(before)
    })
  )

  /** Also of what the agent knows nothing of (source: OpenNebula/one, src/um/Quota.cc, `update_limits`: each metric that is left out is reset). */
  it.scopedLive("leaves alone what it does not name, limits set by hand too", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      const gpus = [{ metric: "PCI_DEV", limit: 2 }]
      yield* bench.one.group.quota(100, { vm: { cpu: 4, memory: 4096, systemDiskSize: 20_480, vms: 7, others: gpus } })
      doneOf(yield* bench.attempt(yield* bench.journal, bench.update(updateOrder(1, "100", { ram: 8192 }))))
      const after = yield* quotasOf(bench)
      expect(after.vm[0]).toMatchObject({ cpu: { limit: 4 }, memory: { limit: 8192 }, vms: { limit: 7 } })
      expect(after.vm[0]?.others).toEqual(gpus)
      expect(after.networks[0]).toMatchObject({ leases: { limit: 2 } })
    })
  )

  it.scopedLive("of a data centre that vanished on the way is refused, and does not stop the offering", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      yield* made(bench)
      const journal = yield* bench.journal
      const change = bench.update(updateOrder(1, "100", { cpu: 9 }))
      yield* bench.attempt(journal, change, { trouble: { at: 1, mishap: "lost" } })
      bench.frontEnd.world.groups.remove(100)
      const { sentence, leftovers } = refusedOf(yield* bench.attempt(journal, change))
      expect(sentence).toBe("This data centre does not exist in the cloud (any more), so it cannot be changed.")
      expect(leftovers).toEqual([])
    })
  )

  it.scopedLive("of a data centre that is not there is refused", () =>
    Effect.gen(function* () {
      const bench = yield* makeBench()
      const change = bench.update(updateOrder(1, "100", { cpu: 9 }))
      expect(refusedOf(yield* bench.attempt(yield* bench.journal, change)).sentence).toContain("does not exist")
    })
  )
})
